/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http - any bytes as what a request brings: a line "METHOD TARGET", then a body of claims. A path that is taken apart is, escaped
 * and taken apart again, the same; a query has each accepted name once; claims that are read are, written and read again, the same;
 * places are inside the text.
 */
#include "connectors/http/route.h"
#include "connectors/json/claims_json.h"
#include "connectors/json/json_place.h"
#include "engine/base/text.h"
#include "fuzz.h"

static arena memory;

static void check_path(const http_path *path)
{
    http_path again;
    mandate_error err;
    buf b;
    buf_init(&b);
    for (uint32_t i = 0; i < path->count; i++) {
        FUZZ_CHECK(path->segments[i].len <= LIMIT_ID && utf8_valid(path->segments[i]));
        buf_put_char(&b, '/');
        http_put_escaped(&b, path->segments[i]);
    }
    FUZZ_CHECK(http_path_parse(&again, &memory, buf_slice(&b), &err) == MANDATE_OK && again.count == path->count);
    for (uint32_t i = 0; i < path->count; i++)
        FUZZ_CHECK(mandate_slice_eq(again.segments[i], path->segments[i]));
    buf_deinit(&b);
}

static void check_target(mandate_slice method, mandate_slice target)
{
    http_path path;
    http_query query;
    mandate_error err = {0};
    mandate_slice params[HTTP_PARAMS_MAX];
    char allow[64];
    const char *mark = memchr(target.ptr, '?', target.len);
    size_t len = mark ? (size_t)(mark - target.ptr) : target.len;
    if (http_path_parse(&path, &memory, mandate_slice_of(target.ptr, len), &err) != MANDATE_OK) {
        FUZZ_CHECK(err.text[0]);
        return;
    }
    check_path(&path);
    const http_route *route = http_route_find(&path, method, params, allow);
    if (!route || !mark)
        return;
    FUZZ_CHECK(route->power != POWER_NONE);
    if (http_query_parse(&query, &memory, mandate_slice_of(mark + 1, target.len - len - 1), route->query, &err) !=
        MANDATE_OK)
        return;
    for (uint32_t i = 0; i < query.count; i++)
        for (uint32_t k = 0; k < i; k++)
            FUZZ_CHECK(!mandate_slice_eq(query.items[i].name, query.items[k].name));
}

static void check_claims(mandate_slice body)
{
    claims c, again;
    mandate_error err = {0};
    size_t begin, end;
    buf b, second;
    buf_init(&b);
    buf_init(&second);
    if (claims_from_json(&c, &memory, body, &err) == MANDATE_OK) {
        claims_to_json(&b, &c);
        if (claims_from_json(&again, &memory, buf_slice(&b), &err) != MANDATE_OK)
            FUZZ_CHECK(b.len > LIMIT_CLAIMS || memory.failed);
        else
            claims_to_json(&second, &again);
        FUZZ_CHECK(second.len == 0 || mandate_slice_eq(buf_slice(&b), buf_slice(&second)));
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    json_place(body, mandate_slice_str("scope.actions[1]"), &begin, &end);
    FUZZ_CHECK(begin <= end && end <= body.len);
    FUZZ_CHECK(json_place_in_string(body, begin, 7) <= body.len);
    buf_deinit(&b);
    buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice text = mandate_slice_of((const char *)data, size);
    const char *line = size ? memchr(text.ptr, '\n', size) : NULL;
    size_t first = line ? (size_t)(line - text.ptr) : size;
    const char *space = first ? memchr(text.ptr, ' ', first) : NULL;
    if (!memory.size_max)
        arena_init(&memory, 8 << 20);
    arena_reset(&memory);
    if (space) {
        size_t method = (size_t)(space - text.ptr);
        check_target(mandate_slice_of(text.ptr, method), mandate_slice_of(space + 1, first - method - 1));
    }
    if (line)
        check_claims(mandate_slice_of(line + 1, size - first - 1));
    return 0;
}
