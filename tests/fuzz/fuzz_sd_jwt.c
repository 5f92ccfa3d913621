/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sd_jwt - any bytes as an SD-JWT: taken apart, put together, read as a mandate. The text before the first "\n" is the payload in the
 * clear, each line behind it a disclosure in the clear: so that what is fuzzed is what they say, not their base64url. The same bytes are
 * also split as a token. Whatever is accepted keeps its promises: nothing of digests is left, what is hidden is what may be, and what
 * depends on it is not permitted.
 */
#include "connectors/json/json_value.h"
#include "connectors/token/artifact.h"
#include "connectors/token/base64url.h"
#include "connectors/token/handle.h"
#include "fuzz.h"

static arena memory;

/* No object has a member that only digests have. */
static void check_clean(cel_value v)
{
    for (uint32_t i = 0; v.kind == CEL_LIST && i < v.len; i++)
        check_clean(v.items[i]);
    for (uint32_t i = 0; v.kind == CEL_MAP && i < v.len; i++) {
        mandate_slice name = cel_text(v.map[i].key);
        FUZZ_CHECK(!mandate_slice_is(name, "_sd") && !mandate_slice_is(name, "...") && !mandate_slice_is(name, "_sd_alg"));
        for (uint32_t k = 0; k < i && v.len < 64; k++)
            FUZZ_CHECK(!mandate_slice_eq(name, cel_text(v.map[k].key)));
        check_clean(v.map[i].value);
    }
}

static void check_read(mandate_slice payload, const sd_jwt *t)
{
    artifact read;
    mandate_error err = {0};
    mandate_slice why;
    if (artifact_read(&read, &memory, payload, t, &err) != MANDATE_OK) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    const claims *c = &read.claims;
    FUZZ_CHECK((c->hidden & ~read.restricted) == 0 && c->disclosure_count == 0 && read.version >= 1);
    if (c->hidden & (CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(REQUIRE)) && c->action_count && c->resource_count)
        FUZZ_CHECK(
            !scope_permits(c, &(scope_question){.action = c->actions[0], .resource = c->resources[0]}, &memory, &why));
    FUZZ_CHECK(c->action_count || c->hidden & CLAIMS_GIVEN(ACTIONS));
    FUZZ_CHECK(c->purpose.len || c->hidden & CLAIMS_GIVEN(PURPOSE));
}

static mandate_slice coded(mandate_slice text)
{
    buf b;
    buf_init(&b);
    base64url_put(&b, text.ptr, text.len);
    mandate_slice out = arena_dup(&memory, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

static void in_the_clear(mandate_slice text)
{
    sd_jwt t = {.count = 0};
    mandate_slice payload = text;
    mandate_error err = {0};
    cel_value v, out;
    sd_holes holes;
    const char *line = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
    if (line)
        payload = mandate_slice_of(text.ptr, (size_t)(line - text.ptr));
    for (const char *end = text.ptr + text.len; line && t.count < LIMIT_TOKEN_DISCLOSURES;) {
        const char *next = memchr(line + 1, '\n', (size_t)(end - line - 1));
        size_t len = (size_t)((next ? next : end) - line - 1);
        if (len)
            t.disclosures[t.count++] = coded(mandate_slice_of(line + 1, len));
        line = next;
    }
    if (json_value_parse(&v, &memory, payload, LIMIT_TOKEN, &err) != MANDATE_OK)
        return;
    if (sd_jwt_resolve(&out, &holes, &memory, v, &t, &err) == MANDATE_OK) {
        check_clean(out);
        for (uint32_t i = 0; i < holes.count; i++)
            FUZZ_CHECK(holes.items[i].missing);
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    check_read(payload, &t);
}

static void as_a_token(mandate_slice text)
{
    sd_jwt t;
    jws parts;
    mandate_error err = {0};
    claims_member member;
    uint32_t number;
    size_t len = 0;
    (void)handle_read(&number, &member, text);
    if (sd_jwt_split(&t, text, &err) != MANDATE_OK) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    len = t.jwt.len ? t.jwt.len + 1 : 0;
    for (uint32_t i = 0; i < t.count; i++)
        len += t.disclosures[i].len + 1;
    FUZZ_CHECK(len == text.len);
    if (jws_parse(&parts, &memory, t.jwt, ARTIFACT_SD_TYP, &err) == MANDATE_OK)
        check_read(parts.payload, &t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice text = mandate_slice_of((const char *)data, size);
    if (!memory.size_max)
        arena_init(&memory, 16 << 20);
    arena_reset(&memory);
    as_a_token(text);
    arena_reset(&memory);
    in_the_clear(text);
    return 0;
}
