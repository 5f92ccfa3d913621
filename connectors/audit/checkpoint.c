/* SPDX-License-Identifier: Apache-2.0 */
/* checkpoint - see the header. */
#include "connectors/audit/checkpoint.h"

#include "engine/base/base64.h"

bool checkpoint_number(uint64_t *out, mandate_slice text)
{
    uint64_t v = 0;
    if (text.len == 0 || text.len > 20 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

mandate_status checkpoint_sign(buf *out, const checkpoint *c, const note_key *k, const token_key *signer, mandate_error *err)
{
    buf text;
    buf_init(&text);
    buf_printf(&text, "%s\n%llu\n", c->origin, (unsigned long long)c->size);
    base64_put(&text, BASE64_STANDARD, c->root.bytes, SHA256_SIZE);
    buf_put_char(&text, '\n');
    mandate_status status = text.failed ? mandate_error_set(err, MANDATE_NOMEM, "no memory for a checkpoint")
                                        : note_sign(out, buf_slice(&text), k, signer, err);
    buf_deinit(&text);
    return status;
}

static mandate_slice next_line(mandate_slice *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!end)
        return mandate_slice_of(NULL, 0);
    mandate_slice line = mandate_slice_of(rest->ptr, (size_t)(end - rest->ptr));
    *rest = mandate_slice_of(end + 1, rest->len - line.len - 1);
    return line;
}

mandate_status checkpoint_parse(checkpoint *out, mandate_slice text, mandate_error *err)
{
    mandate_slice rest = text, raw = {NULL, 0};
    mandate_slice origin = next_line(&rest), size = next_line(&rest), root = next_line(&rest);
    arena a;
    arena_init(&a, 1024);
    *out = (checkpoint){.size = 0};
    bool ok = origin.len > 0 && origin.len <= NOTE_NAME_MAX && checkpoint_number(&out->size, size) && root.len == 44 &&
              base64_read(&raw, &a, BASE64_STANDARD, root) && raw.len == SHA256_SIZE && out->size <= MERKLE_SIZE_MAX;
    while (ok && rest.len)
        ok = next_line(&rest).len > 0; /* extensions, none empty */
    if (ok) {
        memcpy(out->origin, origin.ptr, origin.len);
        memcpy(out->root.bytes, raw.ptr, SHA256_SIZE);
    }
    arena_deinit(&a);
    return ok ? MANDATE_OK
              : mandate_error_set(err, MANDATE_INVALID,
                                  "this is no checkpoint: expected lines of origin, size and root hash (base64)");
}

mandate_status checkpoint_open(checkpoint *out, mandate_slice note, const note_key *keys, uint32_t count, mandate_error *err)
{
    mandate_slice text;
    uint32_t by = 0;
    mandate_status status = note_open(&text, &by, note, keys, count, err);
    if (!status)
        status = checkpoint_parse(out, text, err);
    if (!status && strcmp(out->origin, keys[by].name) != 0)
        status = mandate_error_set(err, MANDATE_DENIED, "the checkpoint is of the log %s, and %s signed it", out->origin,
                                   keys[by].name);
    return status;
}
