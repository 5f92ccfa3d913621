/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once - see once.h.
 *
 *   'k' key (32)               until (8) asked (32)
 *   't' until (8) key (32)     1 byte: by the clock, so that what is over is found
 *
 * What is over goes with later steps that write keys, some at a time.
 */
#include "graph/once.h"

#include "graph/store_int.h"

enum { FORGET_MAX = 1024, FORGET_EVERY_US = 200000 }; /* 5,000 a second, and no step waits for more than some milliseconds */

static void key_of(buf *out, const char key[STORE_ONCE_HASH])
{
    buf_reset(out);
    buf_put_char(out, 'k');
    buf_put(out, key, STORE_ONCE_HASH);
}

static void time_key(buf *out, int64_t until_us, const char *key)
{
    buf_reset(out);
    buf_put_char(out, 't');
    wire_put_key_u64(out, (uint64_t)until_us);
    if (key)
        buf_put(out, key, STORE_ONCE_HASH);
}

/* Its `until`, INT64_MIN when it is not there or not ours. */
static int64_t until_of(mandate_slice value)
{
    return value.len == 8 + STORE_ONCE_HASH ? (int64_t)wire_key_u64(value.ptr) : INT64_MIN;
}

mandate_status store_once_find(store *st, const uint8_t key[STORE_ONCE_HASH], int64_t now_us, uint8_t asked[STORE_ONCE_HASH],
                               mandate_error *err)
{
    buf at, value;

    buf_init(&at);
    buf_init(&value);
    key_of(&at, (const char *)key);
    mandate_status status = at.failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory")
                                      : kv_get(st->kv, KV_ONCE, buf_slice(&at), &value, err);
    if (status == MANDATE_OK && value.len != 8 + STORE_ONCE_HASH)
        status = mandate_error_set(err, MANDATE_CORRUPT, "a key of what is done once cannot be read");
    if (status == MANDATE_OK && until_of(buf_slice(&value)) <= now_us)
        status = MANDATE_NOT_FOUND;
    if (status == MANDATE_OK)
        memcpy(asked, value.data + 8, STORE_ONCE_HASH);
    buf_deinit(&at);
    buf_deinit(&value);
    return status;
}

/* What was over before `now_us`. A key that was permitted anew since keeps its own row. */
static void forget_some(store *st, int64_t now_us)
{
    kv_iter *it = NULL;
    mandate_error err;

    if (kv_iter_open(&it, st->kv, KV_ONCE, &err) != MANDATE_OK)
        return; /* they are only in the way */
    time_key(&st->key, st->once_from_us, NULL);
    kv_iter_seek(it, buf_slice(&st->key));
    for (uint32_t i = 0; i < FORGET_MAX && kv_iter_valid(it) && !st->nomem; i++, kv_iter_next(it)) {
        const mandate_slice row = kv_iter_key(it);
        if (row.len != 9 + STORE_ONCE_HASH || row.ptr[0] != 't')
            break;
        const int64_t until = (int64_t)wire_key_u64(row.ptr + 1);
        if (until > now_us)
            break;
        kv_batch_delete(st->batch, KV_ONCE, row);
        key_of(&st->key, row.ptr + 9);
        if (kv_get(st->kv, KV_ONCE, buf_slice(&st->key), &st->value, NULL) == MANDATE_OK &&
            until_of(buf_slice(&st->value)) <= now_us)
            kv_batch_delete(st->batch, KV_ONCE, buf_slice(&st->key));
        st->nomem |= st->key.failed;
        st->once_from_us = until;
    }
    kv_iter_close(it);
}

static void put_one(store *st, const engine_command *c)
{
    key_of(&st->key, c->key.ptr);
    buf_reset(&st->value);
    wire_put_key_u64(&st->value, (uint64_t)c->until_us);
    buf_put(&st->value, c->key.ptr + STORE_ONCE_HASH, STORE_ONCE_HASH);
    store_put(st, KV_ONCE);
    time_key(&st->key, c->until_us, c->key.ptr);
    buf_reset(&st->value);
    buf_put_char(&st->value, 1);
    store_put(st, KV_ONCE);
}

void once_put(store *st, const store_commit_input *in)
{
    const int64_t now_us = engine_now_us(in->engine);
    bool any = false;

    for (uint32_t i = 0; i < in->result->answer_count; i++) {
        const engine_answer *answer = &in->result->answers[i];
        const engine_command *c = &in->batch->inputs[answer->input].command;
        if (c->kind != COMMAND_LOG || c->key.len != STORE_ONCE_BYTES || answer->error.status != MANDATE_OK)
            continue;
        if (!any && now_us - st->once_forgot_us >= FORGET_EVERY_US) { /* before: what is put now is not over */
            forget_some(st, now_us);
            st->once_forgot_us = now_us;
        }
        any = true;
        put_one(st, c);
    }
}
