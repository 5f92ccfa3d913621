/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_jws - any bytes as a compact JWS, and as the payload of a mandate. What is taken apart is the text that was given and no
 * other (base64url is canonical); nothing verifies, for nobody here can sign; a payload that is read says what it hashes.
 */
#include "connectors/json/json_value.h"
#include "connectors/token/artifact.h"
#include "connectors/token/base64url.h"
#include "fuzz.h"

static keyset trusted;
static arena memory;

static void set_up(void)
{
    static const char json[] =
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"11qYAYKxCrfVS_"
        "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
        "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}";
    mandate_error err;
    if (trusted.count)
        return;
    arena_init(&memory, 4 << 20);
    FUZZ_CHECK(keyset_read(&trusted, mandate_slice_str(json), &err) == MANDATE_OK && trusted.count == 2);
}

static void check_parts(const jws *t, mandate_slice token)
{
    mandate_error err;
    buf again;
    buf_init(&again);
    buf_put_slice(&again, t->signing_input);
    buf_put_char(&again, '.');
    base64url_put(&again, t->signature.ptr, t->signature.len);
    FUZZ_CHECK(mandate_slice_eq(buf_slice(&again), token));
    buf_reset(&again);
    base64url_put(&again, t->payload.ptr, t->payload.len);
    FUZZ_CHECK(
        again.len <= t->signing_input.len &&
        (again.len == 0 || memcmp(t->signing_input.ptr + t->signing_input.len - again.len, again.data, again.len) == 0));
    FUZZ_CHECK(t->alg < TOKEN_ALG_COUNT);
    FUZZ_CHECK(jws_verify(t, &trusted, &err) != MANDATE_OK && err.text[0]);
    buf_deinit(&again);
}

static void check_payload(mandate_slice text)
{
    artifact read;
    mandate_error err = {0};
    buf hash;
    if (artifact_read(&read, &memory, text, NULL, &err) != MANDATE_OK) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    buf_init(&hash);
    FUZZ_CHECK(artifact_authority_hash(&hash, &read.claims, NULL, &err) == MANDATE_OK);
    FUZZ_CHECK(mandate_slice_eq(buf_slice(&hash), read.authority_hash));
    buf_deinit(&hash);
}

/* A list has the entries that its bytes hold, each within its bits, and none behind them. */
static void check_list(mandate_slice text)
{
    status_list l;
    uint32_t entry;
    mandate_error err = {0};
    if (status_list_read(&l, &memory, text, &err) != MANDATE_OK) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    int64_t count = (int64_t)(l.bytes.len * 8 / l.bits);
    FUZZ_CHECK(l.bytes.len <= STATUS_LIST_BYTES_MAX);
    FUZZ_CHECK(status_list_at(&entry, &l, count, &err) == MANDATE_DENIED &&
               status_list_at(&entry, &l, -1, &err) == MANDATE_DENIED);
    FUZZ_CHECK(count == 0 || (status_list_at(&entry, &l, count - 1, &err) == MANDATE_OK && entry < 1U << l.bits));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice text = mandate_slice_of((const char *)data, size);
    mandate_error err = {0};
    jws t;
    set_up();
    arena_reset(&memory);
    if (jws_parse(&t, &memory, text, ARTIFACT_TYP, &err) == MANDATE_OK) {
        FUZZ_CHECK(mandate_slice_is(t.type, ARTIFACT_TYP));
        check_parts(&t, text);
        check_payload(t.payload);
        FUZZ_CHECK(jws_parse_login(&t, &memory, text, &err) == MANDATE_OK); /* a login may say less, not more */
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    arena_reset(&memory);
    if (jws_parse_login(&t, &memory, text, &err) == MANDATE_OK)
        check_parts(&t, text);
    arena_reset(&memory);
    check_payload(text);
    arena_reset(&memory);
    check_list(text);
    return 0;
}
