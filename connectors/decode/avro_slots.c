/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_slots - compiles and runs the straight line.
 *
 * Records that the layout goes into are dissolved: their fields follow each other. A union of null and one type is a byte
 * before its step, which says how many steps to pass over when it is null. Anything with more to it (logical types, other
 * unions, lists and maps that nobody reads) is one step that avro_walk or avro_skip does, so their bounds hold. Values
 * are bounded like the general walk's: what a record keeps of its fields is counted before the first byte.
 */
#include "connectors/decode/avro_slots.h"

#include <assert.h>
#include <stdlib.h>

#include "connectors/decode/avro_walk.h"

typedef enum line_op {
    LINE_END,
    LINE_PASS_FIXED, /* count bytes */
    LINE_PASS_LONG,
    LINE_PASS_BYTES,
    LINE_PASS_ANY, /* step */
    LINE_ENTER, /* an optional record that the layout goes into. Null: to the line `count` further on; 0: an unusual datum */
    LINE_BOOLEAN,
    LINE_INT,
    LINE_LONG,
    LINE_DOUBLE,
    LINE_STRING,
    LINE_ANY /* step */
} line_op;

enum { NOT_OPTIONAL = 0xFF, LINE_MAX = 512 };

typedef struct line {
    uint8_t op, slot, depth;
    uint8_t null_byte, some_byte; /* of an optional one */
    uint32_t count;
    const avro_step *step;
} line;

struct avro_slots {
    const slot_layout *layout;
    uint32_t items; /* fields that the records kept */
    uint32_t line_count;
    uint32_t joined;              /* lines before this one end where a null record goes on: nothing is added to them */
    cel_value initial[SLOTS_MAX]; /* absent, or a reader's default */
    slot_marks seen;
    line lines[LINE_MAX];
};

/* --- compiling --------------------------------------------------------------------------------------------------------- */

static line *add(avro_slots *s, line_op op, const avro_step *step, uint32_t depth)
{
    if (s->line_count == LINE_MAX - 1) /* one is for the end */
        return NULL;
    line *l = &s->lines[s->line_count++];
    *l = (line){
        .op = (uint8_t)op, .depth = (uint8_t)depth, .null_byte = NOT_OPTIONAL, .some_byte = NOT_OPTIONAL, .step = step};
    return l;
}

/* What is not null of a union with null; its bytes. The step itself when it is no such union. */
static const avro_step *open_optional(const avro_step *step, uint8_t *null_byte, uint8_t *some_byte)
{
    *null_byte = *some_byte = NOT_OPTIONAL;
    if (step->op != AVRO_OP_UNION || step->count != 2)
        return step;
    bool first = step->branches[0]->op == AVRO_OP_NULL;
    if (first == (step->branches[1]->op == AVRO_OP_NULL))
        return step;
    *null_byte = first ? 0 : 2; /* zigzag */
    *some_byte = first ? 2 : 0;
    return step->branches[first];
}

static line_op pass_op(const avro_step *step, uint32_t *count)
{
    *count = 0;
    switch ((avro_op)step->op) {
    case AVRO_OP_NULL:
    case AVRO_OP_BOOLEAN:
    case AVRO_OP_FLOAT:
    case AVRO_OP_DOUBLE:
        *count = step->op == AVRO_OP_NULL ? 0 : step->op == AVRO_OP_BOOLEAN ? 1 : step->op == AVRO_OP_FLOAT ? 4 : 8;
        return LINE_PASS_FIXED;
    case AVRO_OP_FIXED:
    case AVRO_OP_FIXED_AS:
        *count = step->count;
        return LINE_PASS_FIXED;
    case AVRO_OP_INT:
    case AVRO_OP_LONG:
    case AVRO_OP_INT_AS:
    case AVRO_OP_LONG_AS:
        return LINE_PASS_LONG;
    case AVRO_OP_BYTES:
    case AVRO_OP_STRING:
    case AVRO_OP_STRING_AS:
    case AVRO_OP_BYTES_AS:
        return LINE_PASS_BYTES;
    default:
        return LINE_PASS_ANY;
    }
}

static line_op read_op(const avro_step *step)
{
    switch ((avro_op)step->op) {
    case AVRO_OP_BOOLEAN:
        return LINE_BOOLEAN;
    case AVRO_OP_INT:
        return LINE_INT;
    case AVRO_OP_LONG:
        return LINE_LONG;
    case AVRO_OP_DOUBLE:
        return LINE_DOUBLE;
    case AVRO_OP_STRING:
        return LINE_STRING;
    default:
        return LINE_ANY;
    }
}

static bool pass(avro_slots *s, const avro_step *step, uint32_t depth)
{
    uint8_t null_byte, some_byte;
    uint32_t count;
    const avro_step *some = open_optional(step, &null_byte, &some_byte);
    line_op op = pass_op(some, &count);
    line *last = s->line_count > s->joined ? &s->lines[s->line_count - 1] : NULL;
    if (op == LINE_PASS_FIXED && null_byte == NOT_OPTIONAL && last && last->op == LINE_PASS_FIXED &&
        last->null_byte == NOT_OPTIONAL && last->count < UINT32_MAX - count) {
        last->count += count;
        return true;
    }
    line *l = add(s, op, some, depth);
    if (!l)
        return false;
    l->null_byte = null_byte;
    l->some_byte = some_byte;
    l->count = count;
    return true;
}

static bool is_container(const avro_step *step)
{
    return step->op == AVRO_OP_RECORD || step->op == AVRO_OP_ARRAY || step->op == AVRO_OP_MAP;
}

static bool read(avro_slots *s, const slot_node *node, const avro_step *step, uint32_t depth)
{
    uint8_t null_byte, some_byte;
    const avro_step *some = open_optional(step, &null_byte, &some_byte);
    line *l = is_container(some) ? NULL : add(s, read_op(some), some, depth);
    if (!l)
        return false;
    l->null_byte = null_byte;
    l->some_byte = some_byte;
    l->slot = node->slot;
    return true;
}

static bool compile(avro_slots *s, const slot_node *node, const avro_step *step, uint32_t depth);

static bool compile_default(avro_slots *s, const slot_node *node, cel_value fallback)
{
    bool plain = node->use == SLOT_VALUE && fallback.kind != CEL_LIST && fallback.kind != CEL_MAP;
    if (plain)
        s->initial[node->slot] = fallback;
    return plain;
}

static bool compile_fields(avro_slots *s, const slot_node *node, const avro_step *step, uint32_t depth)
{
    if (depth >= LIMIT_RECORD_DEPTH)
        return false;
    s->items += step->kept;
    for (uint32_t i = 0; i < step->count; i++) {
        const avro_member *m = &step->members[i];
        const slot_node *child = slot_find(node, cel_text(m->key));
        bool ok;
        if (child)
            slot_mark(&s->seen, child->number);
        if (m->use == AVRO_DEFAULT)
            ok = !child || compile_default(s, child, m->fallback);
        else if (!child || child->use == SLOT_PASSED)
            ok = pass(s, m->step, depth + 1);
        else
            ok = compile(s, child, m->step, depth + 1);
        if (!ok)
            return false;
    }
    return true;
}

/* A value, or a record, perhaps an optional one. */
static bool compile(avro_slots *s, const slot_node *node, const avro_step *step, uint32_t depth)
{
    uint8_t null_byte, some_byte;
    if (node->use == SLOT_VALUE)
        return read(s, node, step, depth);
    const avro_step *some = open_optional(step, &null_byte, &some_byte);
    if (some->op != AVRO_OP_RECORD)
        return false;
    if (null_byte == NOT_OPTIONAL)
        return compile_fields(s, node, some, depth);
    line *enter = add(s, LINE_ENTER, some, depth);
    if (!enter)
        return false;
    enter->null_byte = null_byte;
    enter->some_byte = some_byte;
    if (!compile_fields(s, node, some, depth))
        return false;
    s->joined = s->line_count;
    if (node->null_ok)
        enter->count = (uint32_t)(&s->lines[s->line_count] - enter);
    return true;
}

avro_slots *avro_slots_create(const avro_plan *plan, const slot_layout *layout)
{
    avro_slots *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->layout = layout;
    for (uint32_t i = 0; i < layout->slots; i++)
        s->initial[i] = SLOT_ABSENT;
    if (!compile(s, &layout->root, plan->root, 0) || s->items > LIMIT_RECORD_ITEMS) {
        free(s);
        return NULL;
    }
    s->lines[s->line_count] = (line){.op = LINE_END, .null_byte = NOT_OPTIONAL, .some_byte = NOT_OPTIONAL};
    return s;
}

void avro_slots_destroy(avro_slots *s) { free(s); }

/* --- running ------------------------------------------------------------------------------------------------------------- */

static inline bool take_size(const uint8_t **at, const uint8_t *end, size_t *out)
{
    if (*at < end && **at < 0x80) {
        *out = *(*at)++;
    } else {
        uint64_t word = avro_word_before(*at, end);
        unsigned size = avro_varint_size(word);
        if (!size)
            return false;
        *out = avro_varint_value(word, size);
        *at += size;
    }
    if (*out & 1) /* negative */
        return false;
    *out >>= 1;
    return *out <= (size_t)(end - *at);
}

/* The walker's step, where it stands. */
static bool run_step(const line *l, const uint8_t **at, avro_walker *w, cel_value *out)
{
    w->at = *at;
    w->depth = l->depth;
    bool ok = out ? avro_walk(w, l->step, out) : avro_skip(w, l->step);
    *at = w->at;
    return ok && (!out || (out->kind != CEL_LIST && out->kind != CEL_MAP));
}

static bool take_number(const line *l, const uint8_t **at, avro_walker *w, cel_value *out)
{
    uint64_t v;
    if (*at < w->end && **at < 0x80) {
        v = *(*at)++;
    } else {
        w->at = *at;
        if (!avro_take_varint(w, &v))
            return false;
        *at = w->at;
    }
    int64_t i = avro_unzigzag(v);
    *out = cel_int(i);
    return l->op == LINE_LONG || (i >= INT32_MIN && i <= INT32_MAX);
}

static inline bool pass_long(const uint8_t **at, const uint8_t *end)
{
    if (*at < end && **at < 0x80) {
        (*at)++;
        return true;
    }
    unsigned size = avro_varint_size(avro_word_before(*at, end));
    if (!size) { /* nine or ten bytes, or none */
        size_t most = end - *at < 10 ? (size_t)(end - *at) : 10;
        while (size < most && (*at)[size] >= 0x80)
            size++;
        if (size++ == most)
            return false;
    }
    *at += size;
    return true;
}

static inline bool take_string(const uint8_t **at, const uint8_t *end, cel_value *out)
{
    size_t len;
    if (!take_size(at, end, &len))
        return false;
    mandate_slice s = {(const char *)*at, len};
    *at += len;
    *out = cel_string(s);
    return avro_is_utf8(s, end);
}

static inline bool run_line(const line *l, const uint8_t **at, avro_walker *w, cel_value *slots)
{
    cel_value *out = &slots[l->slot];
    size_t len;
    switch ((line_op)l->op) {
    case LINE_PASS_FIXED:
        if ((size_t)(w->end - *at) < l->count)
            return false;
        *at += l->count;
        return true;
    case LINE_PASS_LONG:
        return pass_long(at, w->end);
    case LINE_PASS_BYTES:
        if (!take_size(at, w->end, &len))
            return false;
        *at += len;
        return true;
    case LINE_PASS_ANY:
        return run_step(l, at, w, NULL);
    case LINE_ENTER:
        return true;
    case LINE_BOOLEAN:
        if (*at == w->end || **at > 1)
            return false;
        *out = cel_bool(*(*at)++);
        return true;
    case LINE_INT:
    case LINE_LONG:
        return take_number(l, at, w, out);
    case LINE_DOUBLE:
        if (w->end - *at < 8)
            return false;
        *out = (cel_value){.kind = CEL_DOUBLE, .u = avro_word(*at)};
        *at += 8;
        return true;
    case LINE_STRING:
        return take_string(at, w->end, out);
    case LINE_ANY:
        return run_step(l, at, w, out);
    case LINE_END:
        break;
    }
    assert(!"every line is run above");
    return false;
}

bool avro_slots_run(slot_values *out, const avro_slots *s, arena *a, mandate_slice data)
{
    const uint8_t *at = (const uint8_t *)(data.len ? data.ptr : "");
    avro_walker w = {.at = at, .end = at + data.len, .start = at, .memory = a, .items = s->items};
    memcpy(out->at, s->initial, s->layout->slots * sizeof(*out->at));
    for (const line *l = s->lines; l->op != LINE_END; l++) {
        if (l->null_byte != NOT_OPTIONAL) {
            if (at == w.end)
                return false;
            uint8_t branch = *at++;
            if (branch != l->some_byte) {
                if (branch != l->null_byte || (l->op == LINE_ENTER && l->count == 0))
                    return false;
                if (l->op >= LINE_BOOLEAN)
                    out->at[l->slot] = cel_null();
                else if (l->op == LINE_ENTER)
                    l += l->count - 1;
                continue;
            }
        }
        if (!run_line(l, &at, &w, out->at))
            return false;
    }
    out->seen = s->seen;
    return at == w.end;
}
