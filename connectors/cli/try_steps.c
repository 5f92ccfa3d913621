/* SPDX-License-Identifier: Apache-2.0 */
/*
 * try_steps - see try_steps.h. It looks at the record again with the parts that the mapper uses, and evaluates with the
 * mapper itself, which still holds the document; so what is shown is what happened.
 */
#include "connectors/cli/try_steps.h"

#include <stdarg.h>
#include <stdio.h>

#include "connectors/cli/out.h"
#include "connectors/decode/framing.h"

enum { VALUE_SHOWN = 120, IGNORED_SHOWN = 30 };

static const char *const variable_names[] = {
#define X(name, text, type) text,
    DOCUMENT_VARIABLE_MAP(X)
#undef X
};

void try_say(const char *format, ...)
{
    buf raw, line;
    va_list args;
    buf_init(&raw);
    buf_init(&line);
    va_start(args, format);
    buf_vprintf(&raw, format, args);
    va_end(args);
    out_text(&line, OUT_PLAIN, buf_slice(&raw));
    fprintf(stderr, "%s\n", buf_cstr(&line));
    buf_deinit(&raw);
    buf_deinit(&line);
}

/* --- bytes ---------------------------------------------------------------------------------------------------------- */

static void say_framing(const connector *c, const record *r, mandate_slice original)
{
    frame f;
    record whole = *r;
    mandate_error err = {0};
    whole.value = original;
    whole.header_count = c->decode.prefix_only ? 0 : r->header_count;
    if (!original.ptr) {
        try_say("framing     none: the value is null");
        return;
    }
    if (c->decode.framing == FRAMING_SINGLE_OBJECT && !framing_open(&f, FRAMING_SINGLE_OBJECT, &whole, false, &err)) {
        try_say("framing     single object, fingerprint %016llx", (unsigned long long)f.fingerprint);
        return;
    }
    bool confluent = c->registry_named || c->decode.value_format == DECODE_JSON;
    mandate_status status = confluent && c->decode.value_format == DECODE_AVRO
                                ? framing_open(&f, FRAMING_CONFLUENT, &whole, false, &err)
                                : framing_open_json(&f, &whole, false, &err);
    size_t prefix = status ? 0 : original.len - f.datum.len;
    if (!status && confluent && f.kind == FRAME_ID)
        try_say("framing     Confluent: schema id %u, %s", f.id, prefix ? "5 bytes before the value" : "in a header");
    else if (!status && confluent && f.kind == FRAME_GUID)
        try_say("framing     Confluent: schema GUID, %s", prefix ? "17 bytes before the value" : "in a header");
    else
        try_say("framing     none: all %zu bytes are the value", original.len);
}

static void say_schema(const connector *c)
{
    static const char *const formats[] = {"JSON", "Avro", "text", "bytes", "bytes"};
    const yaml_node *file = yaml_get(yaml_get(c->doc->root, "decode"), "schema");
    if (c->decode.value_format != DECODE_AVRO)
        try_say("schema      none is needed: the value is %s", formats[c->decode.value_format]);
    else
        try_say("schema      %s, fingerprint %016llx", file ? file->text.ptr : "the one given",
                (unsigned long long)avro_plan_fingerprint(c->value_plan));
}

static void say_envelope(const mapper *m)
{
    static const char *const kinds[] = {[DOCUMENT_RECORD] = "data",
                                        [DOCUMENT_TOMBSTONE] = "a tombstone: the value is null",
                                        [DOCUMENT_TRUNCATE] = "everything of these types is unknown from now on",
                                        [DOCUMENT_GAP] = "something changed, and how is lost",
                                        [DOCUMENT_IGNORE] = "nothing to map"};
    const connector *c = m->c;
    buf text;
    buf_init(&text);
    for (uint32_t i = 0; i < DOCUMENT_VARIABLE_COUNT; i++)
        if ((c->envelope->gives >> i & 1) && m->doc.variables[i].kind != CEL_NULL)
            buf_printf(&text, "%s%s", text.len ? ", " : "", variable_names[i]);
    try_say("envelope    %s: %s, op %.*s; gives %s", c->envelope->name, kinds[m->doc.kind],
            MANDATE_SLICE_ARG(cel_text(m->doc.variables[DOCUMENT_OP])), buf_cstr(&text));
    buf_deinit(&text);
}

/* --- expressions ------------------------------------------------------------------------------------------------------ */

static void put_value(buf *b, cel_value v, bool may_be_absent)
{
    static const char missing[] = "no such key";
    if (v.kind == CEL_UNKNOWN) {
        buf_put_str(b, "changed, and to what is not in the record");
    } else if (v.kind == CEL_ERROR) {
        mandate_slice text = v.error ? v.error->message : mandate_slice_str("out of memory");
        bool absent =
            may_be_absent && text.len >= sizeof(missing) - 1 && memcmp(text.ptr, missing, sizeof(missing) - 1) == 0;
        buf_printf(b, absent ? "not in this record" : "error: %.*s", MANDATE_SLICE_ARG(text));
    } else if (v.kind == CEL_OPTIONAL) {
        v.len ? put_value(b, v.items[0], false) : buf_put_str(b, "says nothing");
    } else {
        cel_to_text(b, v, VALUE_SHOWN);
    }
}

static void say_expression(mapper *m, const char *what, mandate_slice name, const map_expr *e, bool may_be_absent)
{
    buf text;
    if (!EXPR_GIVEN(e))
        return;
    buf_init(&text);
    put_value(&text, mapper_eval(m, e), may_be_absent);
    try_say("%-11s %.*s%s%.*s  =>  %s", what, MANDATE_SLICE_ARG(name), name.len ? ": " : "",
            (int)(e->node->text.len < VALUE_SHOWN ? e->node->text.len : VALUE_SHOWN), e->node->text.ptr, buf_cstr(&text));
    buf_deinit(&text);
}

static void say_entity(mapper *m, const map_entity *e)
{
    static const mandate_slice none = {"", 0};
    cel_value row = m->variables[DOCUMENT_AFTER];
    bool wanted = !EXPR_GIVEN(&e->when) || cel_is_true(mapper_eval(m, &e->when));
    try_say("entity      %.*s (line %u)", MANDATE_SLICE_ARG(e->type_name), e->id.node->line);
    say_expression(m, "  when", none, &e->when, false);
    if (!wanted)
        return;
    say_expression(m, "  delete", none, &e->delete_when, false);
    if (m->deleted_row)
        m->variables[DOCUMENT_AFTER] = m->variables[DOCUMENT_BEFORE];
    say_expression(m, "  id", none, &e->id, false);
    m->variables[DOCUMENT_AFTER] = row;
    if (EXPR_GIVEN(&e->delete_when) && cel_is_true(mapper_eval(m, &e->delete_when)))
        return;
    for (uint32_t i = 0; i < e->attribute_count; i++)
        say_expression(m, "  attribute", e->attributes[i].name, &e->attributes[i].value, true);
    for (uint32_t i = 0; i < e->reference_count; i++)
        say_expression(m, "  reference", e->references[i].name, &e->references[i].id, true);
    say_expression(m, "  forget", none, &e->forget, false);
    for (uint32_t i = 0; i < e->forget_count; i++)
        try_say("  forget    %s", e->forget_names[i]->text.ptr);
}

/* The first element stands for all: what `each` gives is alike. */
static void say_items(mapper *m)
{
    static const mandate_slice none = {"", 0};
    const map_expr *each = &m->c->each;
    cel_value list = EXPR_GIVEN(each) ? mapper_eval(m, each) : m->doc.each;
    say_expression(m, "each", none, each, false);
    if (list.kind != CEL_LIST)
        return;
    buf text;
    buf_init(&text);
    if (list.len)
        cel_to_text(&text, list.items[0], VALUE_SHOWN);
    try_say("item        %u of them; the first is %s", list.len, list.len ? buf_cstr(&text) : "not there");
    buf_deinit(&text);
    m->variables[DOCUMENT_ITEM] = list.len ? list.items[0] : cel_null();
}

/* --- what nobody reads -------------------------------------------------------------------------------------------------- */

typedef struct ignored {
    buf text;
    uint32_t count;
} ignored;

static void find_ignored(ignored *out, cel_value v, const projection *read, const char *path)
{
    if (read && read->all)
        return;
    if (v.kind != CEL_MAP || (!read && !v.len)) {
        if (!read && ++out->count <= IGNORED_SHOWN)
            buf_printf(&out->text, "%s%s", out->text.len ? ", " : "", path);
        return;
    }
    for (uint32_t i = 0; i < v.len; i++) {
        char below[256];
        mandate_slice key = cel_text(v.map[i].key);
        snprintf(below, sizeof(below), "%s.%.*s", path, (int)(key.len < 64 ? key.len : 64), key.ptr);
        const projection *next = read ? projection_find(read, key) : NULL;
        if (!next && v.map[i].value.kind == CEL_MAP && !read) /* deep inside what nobody reads: its name was enough */
            continue;
        if (next) {
            find_ignored(out, v.map[i].value, next, below);
        } else if (++out->count <= IGNORED_SHOWN) {
            buf_printf(&out->text, "%s%s", out->text.len ? ", " : "", below);
        }
    }
}

/* The whole record is decoded for this, not only what expressions mention. */
static void say_ignored(mapper *m, arena *a, const record *r)
{
    static const projection nothing = {.all = false};
    const connector *c = m->c;
    decode_options options = c->decode;
    decoder *whole = NULL;
    document doc = {.wanted = UINT32_MAX};
    ignored out = {.count = 0};
    cel_value key, value;
    const char *stage;
    mandate_error err = {0};
    options.value_projection = NULL;
    if (decoder_create(&whole, &options, &err) || decoder_run(&key, &value, whole, a, r, &stage, &err) ||
        c->envelope->open(&doc, a, m->json, r, key, value, &err))
        goto done;
    /* Rows and payloads, where the envelope takes the value apart; else the value. */
    const uint32_t parts = VARIABLE_BIT(AFTER) | VARIABLE_BIT(DATA) | VARIABLE_BIT(SOURCE) | VARIABLE_BIT(EVENT);
    uint32_t shown = c->envelope->gives & parts ? c->envelope->gives & parts : VARIABLE_BIT(VALUE);
    buf_init(&out.text);
    for (uint32_t i = 0; i < DOCUMENT_VARIABLE_COUNT; i++)
        if ((shown >> i & 1) && doc.variables[i].kind == CEL_MAP)
            find_ignored(&out, doc.variables[i], c->mentions[i] ? c->mentions[i] : &nothing, variable_names[i]);
    if (out.count)
        try_say("ignored     %s%s", buf_cstr(&out.text), out.count > IGNORED_SHOWN ? ", ..." : "");
    buf_deinit(&out.text);
done:
    decoder_destroy(whole);
}

/* --- all of it ------------------------------------------------------------------------------------------------------------ */

void try_steps(mapper *m, arena *a, const record *r, mandate_slice original, mandate_status status,
               const mapper_result *result)
{
    static const mandate_slice none = {"", 0};
    static const char *const before[] = {"key", "value", "framing", "schema"};
    const connector *c = m->c;
    say_framing(c, r, original);
    for (size_t i = 0; status && result->stage && i < sizeof(before) / sizeof(*before); i++)
        if (strcmp(result->stage, before[i]) == 0)
            return;
    say_schema(c);
    if (status && result->stage && strcmp(result->stage, "envelope") == 0)
        return;
    say_envelope(m);
    if (m->doc.kind != DOCUMENT_RECORD && m->doc.kind != DOCUMENT_GAP)
        return;
    say_expression(m, "when", none, &c->when, false);
    if (result->outcome == MAPPER_FILTERED || (status && result->stage && strcmp(result->stage, "when") == 0))
        return;
    say_items(m);
    say_expression(m, "event_time", none, &c->event_time, false);
    if (EXPR_GIVEN(&c->version))
        say_expression(m, "version", none, &c->version, false);
    for (uint32_t i = 0; m->doc.kind == DOCUMENT_RECORD && i < c->entity_count; i++)
        say_entity(m, &c->entities[i]);
    say_ignored(m, a, r);
}
