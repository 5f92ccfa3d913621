/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cel_batch - any bytes as a line of `mandatectl cel batch`. One answer, which is one line of JSON with a name, and the
 * same one again; a value in it, bound to a variable, comes back as it was.
 */
#include "connectors/cli/cel_batch.h"
#include "connectors/decode/decode.h"
#include "connectors/json/json_value.h"
#include "fuzz.h"

typedef struct batch_fuzz {
    json_decoder *json;
    cel_batch *batch;
    arena memory;
    buf answer, again, line;
} batch_fuzz;

/* False: the answer is nested deeper than what is read. */
static bool read_answer(batch_fuzz *f, cel_value *out, const buf *answer)
{
    mandate_error err;
    mandate_status status;
    FUZZ_CHECK(!answer->failed && answer->len > 1 && answer->data[answer->len - 1] == '\n');
    FUZZ_CHECK(memchr(answer->data, '\n', answer->len) == answer->data + answer->len - 1);
    status = json_decode(out, f->json, &f->memory, buf_slice(answer), &err);
    FUZZ_CHECK(status == MANDATE_OK || status == MANDATE_LIMIT);
    if (status)
        return false;
    FUZZ_CHECK(json_has_member(*out, "name"));
    FUZZ_CHECK(json_has_member(*out, "result") + json_has_member(*out, "invalid") + json_has_member(*out, "malformed") <= 1);
    return true;
}

static void bind_value(batch_fuzz *f, cel_value value)
{
    cel_value back;
    buf_reset(&f->line);
    buf_put_str(&f->line, "{\"expr\":\"x\",\"disableCheck\":true,\"bindings\":{\"x\":{\"value\":");
    cel_to_json(&f->line, value);
    buf_put_str(&f->line, "}}}");
    buf_reset(&f->answer);
    cel_batch_answer(f->batch, &f->answer, buf_slice(&f->line));
    if (!read_answer(f, &back, &f->answer) || json_has_member(back, "malformed"))
        return; /* deeper by its wrapping */
    FUZZ_CHECK(cel_equal(value, json_member(json_member(back, "result"), "value")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static batch_fuzz f;
    mandate_error err;
    cel_value answer, result;
    if (!f.json) {
        cel_batch_options options = {.libraries = CEL_LIB_ALL | CEL_LIB_BLOCK, .trees = true};
        arena_init(&f.memory, LIMIT_RECORD_MEMORY);
        FUZZ_CHECK(json_decoder_create(&f.json, &err) == MANDATE_OK);
        FUZZ_CHECK(cel_batch_create(&f.batch, &options, &err) == MANDATE_OK);
    }
    arena_reset(&f.memory);
    buf_reset(&f.answer);
    buf_reset(&f.again);
    mandate_slice line = {(const char *)data, size};
    cel_batch_answer(f.batch, &f.answer, line);
    cel_batch_answer(f.batch, &f.again, line);
    FUZZ_CHECK(f.answer.len == f.again.len && memcmp(f.answer.data, f.again.data, f.answer.len) == 0);
    if (!read_answer(&f, &answer, &f.answer))
        return 0;
    result = json_member(answer, "result");
    if (json_has_member(result, "value"))
        bind_value(&f, json_member(result, "value"));
    return 0;
}
