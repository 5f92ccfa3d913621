/* SPDX-License-Identifier: Apache-2.0 */
/* note - see the header. Everything that is read is hostile; the only success of a signature is token_key_verify. */
#include "connectors/audit/note.h"

#include "engine/base/base64.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"

#include <stdlib.h>

enum { ED25519 = 1, SIGNATURE_SIZE = 64 };
static const char dash[] = "\xE2\x80\x94 "; /* em dash, space */

/* --- names and keys ---------------------------------------------------------------------------------------- */
/* Unicode's spaces beyond ASCII, as UTF-8. */
static bool has_wide_space(mandate_slice s)
{
    static const char *const spaces[] = {"\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\xA8",
                                         "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};
    for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++)
        if (memmem(s.ptr, s.len, spaces[i], strlen(spaces[i])))
            return true;
    for (size_t i = 0; i + 2 < s.len; i++) /* U+2000 to U+200A */
        if (!memcmp(s.ptr + i, "\xE2\x80", 2) && (unsigned char)s.ptr[i + 2] >= 0x80 && (unsigned char)s.ptr[i + 2] <= 0x8A)
            return true;
    return false;
}

bool note_name_valid(mandate_slice name)
{
    if (name.len == 0 || name.len > NOTE_NAME_MAX || !utf8_valid(name) || has_wide_space(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] <= ' ' || name.ptr[i] == 127 || name.ptr[i] == '+')
            return false;
    return true;
}

/* Name and public key are set. */
static mandate_status set_id(note_key *k, mandate_error *err)
{
    uint8_t hash[SHA256_SIZE];
    uint8_t bytes[NOTE_NAME_MAX + 2 + NOTE_KEY_SIZE];
    size_t len = strlen(k->name);
    memcpy(bytes, k->name, len);
    bytes[len++] = '\n';
    bytes[len++] = ED25519;
    memcpy(bytes + len, k->public_key, NOTE_KEY_SIZE);
    if (!sha256(hash, bytes, len + NOTE_KEY_SIZE))
        return mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    memcpy(k->id, hash, sizeof(k->id));
    return MANDATE_OK;
}

mandate_status note_key_of(note_key *out, mandate_slice name, const token_key *key, mandate_error *err)
{
    *out = (note_key){.key = NULL};
    if (!note_name_valid(name))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"%.*s\" cannot name a key of a signed note: 1 to %d bytes without spaces and \"+\"",
                                 (int)(name.len < 100 ? name.len : 100), name.ptr, NOTE_NAME_MAX);
    memcpy(out->name, name.ptr, name.len);
    mandate_status status = token_key_ed25519_public(out->public_key, key, err);
    if (!status)
        status = set_id(out, err);
    return status ? status : token_key_from_ed25519(&out->key, out->public_key, err);
}

mandate_status note_key_parse(note_key *out, mandate_slice text, mandate_error *err)
{
    const char *plus = text.len ? memchr(text.ptr, '+', text.len) : NULL;
    size_t name_len = plus ? (size_t)(plus - text.ptr) : text.len;
    mandate_slice name = mandate_slice_of(text.ptr, name_len), raw;
    char id[9] = "";
    arena a;
    *out = (note_key){.key = NULL};
    if (!plus || text.len < name_len + 10 || text.len > name_len + 100 || plus[9] != '+' || !note_name_valid(name))
        return mandate_error_set(err, MANDATE_INVALID, "a verifier key is name+8 hexadecimal digits+base64, on one line");
    arena_init(&a, 1024);
    bool ok = base64_read(&raw, &a, BASE64_STANDARD, mandate_slice_of(plus + 10, text.len - name_len - 10)) &&
              raw.len == NOTE_KEY_SIZE + 1 && raw.ptr[0] == ED25519;
    mandate_status status = MANDATE_OK;
    if (!ok) {
        status = mandate_error_set(err, MANDATE_INVALID, "the verifier key of %.*s is no Ed25519 key (type 1, 32 bytes)",
                                   (int)(name.len < 100 ? name.len : 100), name.ptr);
    } else {
        memcpy(out->name, name.ptr, name.len);
        memcpy(out->public_key, raw.ptr + 1, NOTE_KEY_SIZE);
        status = set_id(out, err);
    }
    arena_deinit(&a);
    if (!status) {
        hex_encode(id, out->id, sizeof(out->id));
        if (memcmp(id, plus + 1, 8) != 0)
            status = mandate_error_set(err, MANDATE_INVALID, "the verifier key's id is %.8s, and its own bytes say %s",
                                       plus + 1, id);
    }
    return status ? status : token_key_from_ed25519(&out->key, out->public_key, err);
}

void note_key_put(buf *b, const note_key *k)
{
    char id[9];
    uint8_t raw[NOTE_KEY_SIZE + 1] = {ED25519};
    hex_encode(id, k->id, sizeof(k->id));
    memcpy(raw + 1, k->public_key, NOTE_KEY_SIZE);
    buf_printf(b, "%s+%s+", k->name, id);
    base64_put(b, BASE64_STANDARD, raw, sizeof(raw));
}

void note_key_deinit(note_key *k)
{
    token_key_destroy(k->key);
    k->key = NULL;
}

/* --- signing ------------------------------------------------------------------------------------------------- */
mandate_status note_sign(buf *out, mandate_slice text, const note_key *k, const token_key *signer, mandate_error *err)
{
    buf raw;
    buf_init(&raw);
    buf_put(&raw, k->id, sizeof(k->id));
    mandate_status status = token_key_sign(&raw, signer, text, err);
    if (!status && (raw.failed || raw.len != sizeof(k->id) + SIGNATURE_SIZE))
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to sign a note");
    if (!status) {
        buf_put_slice(out, text);
        buf_printf(out, "\n%s%s ", dash, k->name);
        base64_put(out, BASE64_STANDARD, raw.data, raw.len);
        buf_put_char(out, '\n');
        if (out->failed)
            status = mandate_error_set(err, MANDATE_NOMEM, "no memory to sign a note");
    }
    buf_deinit(&raw);
    return status;
}

/* --- opening ------------------------------------------------------------------------------------------------- */
static mandate_status no_note(const char *what, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_INVALID, "this is no signed note: %s", what);
}

static mandate_status check_bytes(mandate_slice note, mandate_error *err)
{
    if (note.len > NOTE_MAX)
        return no_note("it is longer than any we accept", err);
    if (!utf8_valid(note))
        return no_note("it is not UTF-8", err);
    for (size_t i = 0; i < note.len; i++)
        if ((unsigned char)note.ptr[i] < ' ' && note.ptr[i] != '\n')
            return no_note("it has control characters", err);
    if (note.len == 0 || note.ptr[note.len - 1] != '\n')
        return no_note("it does not end with a newline", err);
    return MANDATE_OK;
}

/* The last empty line: the newline that ends the text, before the one of the empty line. */
static bool split(mandate_slice note, mandate_slice *text, mandate_slice *signatures)
{
    for (size_t i = note.len; i-- > 1;)
        if (note.ptr[i] == '\n' && note.ptr[i - 1] == '\n') {
            *text = mandate_slice_of(note.ptr, i);
            *signatures = mandate_slice_of(note.ptr + i + 1, note.len - i - 1);
            return true;
        }
    return false;
}

typedef struct line {
    mandate_slice name, raw;
} line;

static bool line_parse(line *out, arena *a, mandate_slice text)
{
    size_t prefix = sizeof(dash) - 1;
    if (text.len <= prefix || memcmp(text.ptr, dash, prefix) != 0)
        return false;
    const char *name = text.ptr + prefix, *space = memchr(name, ' ', text.len - prefix);
    if (!space)
        return false;
    out->name = mandate_slice_of(name, (size_t)(space - name));
    return note_name_valid(out->name) &&
           base64_read(&out->raw, a, BASE64_STANDARD, mandate_slice_of(space + 1, text.len - prefix - out->name.len - 1)) &&
           out->raw.len >= 5;
}

/* The key that this line is of; `count` when it is of none. */
static uint32_t key_of(const line *l, const note_key *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (mandate_slice_is(l->name, keys[i].name) && !memcmp(l->raw.ptr, keys[i].id, sizeof(keys[i].id)))
            return i;
    return count;
}

mandate_status note_open(mandate_slice *text, uint32_t *by, mandate_slice note, const note_key *keys, uint32_t count,
                         mandate_error *err)
{
    mandate_slice body, rest;
    uint32_t found = count, lines = 0;
    line l;
    arena a;
    mandate_status status = check_bytes(note, err);
    if (status)
        return status;
    if (!split(note, &body, &rest) || rest.len == 0)
        return no_note("no signature follows an empty line", err);
    arena_init(&a, 4 * NOTE_MAX);
    while (rest.len && !status) {
        size_t len = (size_t)((const char *)memchr(rest.ptr, '\n', rest.len) - rest.ptr);
        if (++lines > NOTE_SIGNATURES_MAX)
            status = no_note("it has too many signatures", err);
        else if (!line_parse(&l, &a, mandate_slice_of(rest.ptr, len)))
            status = no_note("a line that should be a signature is none", err);
        uint32_t key = status ? count : key_of(&l, keys, count);
        if (key < count) {
            if (!token_key_verify(keys[key].key, body, mandate_slice_of(l.raw.ptr + 4, l.raw.len - 4)))
                status = mandate_error_set(err, MANDATE_DENIED, "the signature by %s is wrong", keys[key].name);
            found = found == count ? key : found;
        }
        rest = mandate_slice_of(rest.ptr + len + 1, rest.len - len - 1);
    }
    arena_deinit(&a);
    if (!status && found == count)
        status = mandate_error_set(err, MANDATE_DENIED, "the note is not signed by %s",
                                   count ? "any of the keys that are trusted" : "anybody: no key is trusted");
    if (!status) {
        *text = body;
        if (by)
            *by = found;
    }
    return status;
}
