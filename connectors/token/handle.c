/* SPDX-License-Identifier: Apache-2.0 */
/* handle - see the header. */
#include "connectors/token/handle.h"

#include "connectors/token/base64url.h"

#include <openssl/crypto.h>

enum { NUMBER = 4, PROOF = 16, BYTES = NUMBER + 1 + PROOF };

/* For ever: handles are kept by others. */
static const struct {
    claims_member member;
    char letter;
} letters[] = {{MEMBER_PURPOSE, 'p'}, {MEMBER_ACTIONS, 'a'}, {MEMBER_RESOURCES, 'r'}, {MEMBER_LIMITS, 'l'},
               {MEMBER_WHILE, 'w'},   {MEMBER_UNTIL, 'u'},   {MEMBER_PARAMS, 'm'},    {MEMBER_SUSPEND_WHILE, 's'},
               {MEMBER_TARGETS, 't'}, {MEMBER_REQUIRE, 'q'}};
enum { LETTERS = sizeof(letters) / sizeof(*letters) };

static char letter_of(claims_member member)
{
    for (int i = 0; i < LETTERS; i++)
        if (letters[i].member == member)
            return letters[i].letter;
    return 0;
}

static void put_number(uint8_t out[NUMBER], uint32_t number)
{
    for (int i = 0; i < NUMBER; i++)
        out[i] = (uint8_t)(number >> (24 - 8 * i));
}

mandate_status handle_make(mandate_slice *out, arena *a, const claims *c, uint32_t number, claims_member member,
                           const disclose_key *key, mandate_error *err)
{
    uint8_t bytes[BYTES], proof[DISCLOSE_MAC];
    buf about, text;
    put_number(bytes, number);
    bytes[NUMBER] = (uint8_t)letter_of(member);
    if (!bytes[NUMBER])
        return mandate_error_set(err, MANDATE_INVALID, "no handle stands for \"%s\"", claims_member_name(member));
    buf_init(&about);
    buf_init(&text);
    buf_put(&about, bytes, NUMBER + 1);
    wire_put_bytes(&about, c->issuer);
    wire_put_bytes(&about, c->id);
    mandate_status status = disclose_mac(proof, key, "mandated: handle", &about, err);
    if (!status) {
        memcpy(bytes + NUMBER + 1, proof, PROOF);
        buf_put_str(&text, HANDLE_PREFIX);
        base64url_put(&text, bytes, sizeof(bytes));
        *out = text.failed ? mandate_slice_of(NULL, 0) : arena_dup(a, buf_slice(&text));
        if (!out->ptr)
            status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a handle");
    }
    buf_deinit(&about);
    buf_deinit(&text);
    return status;
}

bool handle_read(uint32_t *number, claims_member *member, mandate_slice handle)
{
    const size_t prefix = sizeof(HANDLE_PREFIX) - 1;
    mandate_slice bytes;
    bool known = false;
    arena a;
    if (handle.len != HANDLE_TEXT || memcmp(handle.ptr, HANDLE_PREFIX, prefix) != 0)
        return false;
    arena_init(&a, 0);
    if (base64url_decode(&bytes, &a, mandate_slice_of(handle.ptr + prefix, handle.len - prefix)) && bytes.len == BYTES) {
        const uint8_t *at = (const uint8_t *)bytes.ptr;
        *number = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        for (int i = 0; i < LETTERS; i++)
            if (letters[i].letter == (char)at[NUMBER]) {
                *member = letters[i].member;
                known = true;
            }
    }
    arena_deinit(&a);
    return known;
}

bool handle_is(mandate_slice handle, mandate_slice made)
{
    return handle.len == made.len && CRYPTO_memcmp(handle.ptr, made.ptr, made.len) == 0;
}

mandate_status handle_all(cel_value *out, arena *a, const claims *c, uint32_t number, const disclose_key *key,
                          mandate_error *err)
{
    cel_entry *entries = ARENA_ARRAY(a, cel_entry, c->disclosure_count + 1);
    mandate_status status = entries ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for handles");
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->disclosure_count && !status; i++) {
        mandate_slice text;
        if (!c->disclosures[i].handle)
            continue;
        status = handle_make(&text, a, c, number, c->disclosures[i].member, key, err);
        if (!status)
            entries[n++] =
                (cel_entry){cel_string(mandate_slice_str(claims_member_name(c->disclosures[i].member))), cel_string(text)};
    }
    *out = n ? cel_map(entries, n) : cel_null();
    return status;
}
