/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandatectl connector infer [--schema FILE] [--name NAME] [--topic TOPIC] [--type TYPE] < samples
 *
 * Samples are one JSON text, or one a line. The proposal goes to stdout after it was loaded, so that it is a file that
 * works; what it makes of the samples is said on stderr.
 */
#include <stdio.h>

#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/infer.h"
#include "connectors/cli/out.h"
#include "connectors/mapping/connector_int.h"

enum { SAMPLES_MAX = 1000 };

static mandate_status read_samples(infer_shape *s, json_decoder *json, mandate_slice text, mandate_error *err)
{
    cel_value v;
    if (json_decode(&v, json, s->memory, text, err) == MANDATE_OK)
        return infer_sample(s, json, v, err);
    for (uint32_t line = 1; text.len && line <= SAMPLES_MAX; line++) {
        const char *end = memchr(text.ptr, '\n', text.len);
        mandate_slice one = mandate_slice_of(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
        text = mandate_slice_of(text.ptr + one.len + (end != NULL), text.len - one.len - (end != NULL));
        if (!one.len)
            continue;
        mandate_status status = json_decode(&v, json, s->memory, one, err);
        if (!status)
            status = infer_sample(s, json, v, err);
        if (status)
            return mandate_error_prefix(err, status, "sample %u", line);
    }
    return MANDATE_OK;
}

static mandate_status shape_of(infer_shape *s, mandate_error *err)
{
    json_decoder *json = NULL;
    buf text;
    buf_init(&text);
    mandate_status status;
    if (s->schema_file) {
        status = file_read(&text, s->schema_file, LIMIT_AVRO_SCHEMA, err);
        if (!status)
            status = infer_schema(s, buf_slice(&text), err);
    } else {
        status = file_read(&text, "/dev/stdin", LIMIT_RECORD, err);
        if (!status && !text.len)
            status = mandate_error_set(err, MANDATE_INVALID, "no sample: give JSON on stdin, or --schema FILE");
        if (!status)
            status = json_decoder_create(&json, err);
        if (!status)
            status = read_samples(s, json, arena_dup(s->memory, buf_slice(&text)), err);
    }
    if (!status && !s->count)
        status = mandate_error_set(err, MANDATE_INVALID, "no fields were found: a delete, a tombstone?");
    json_decoder_destroy(json);
    buf_deinit(&text);
    return status;
}

/* A proposal that does not load is our mistake, and is not given to anybody. */
static mandate_status prove(const buf *file, mandate_error *err)
{
    static const connector_load_options offline = {.offline = true};
    schema *s = NULL;
    connector *c = NULL;
    problems p;
    mandate_slice text = buf_slice(file);
    problems_init(&p);
    mandate_status status = schema_create(&s, err);
    if (!status && connector_load_with(&c, s, "./proposal.yaml", &text, &offline, &p))
        status = problems_result(&p, err);
    problems_deinit(&p);
    connector_destroy(c);
    schema_destroy(s);
    return status;
}

int cmd_connector_infer(int argc, char **argv)
{
    arena memory;
    infer_shape s = {.memory = &memory};
    arg_common common = {0};
    mandate_error err = {0};
    const arg_option options[] = {{.name = "--schema", .value = &s.schema_file},
                                  {.name = "--name", .value = &s.name},
                                  {.name = "--topic", .value = &s.topic},
                                  {.name = "--type", .value = &s.type}};
    const char *none[1];
    buf file;
    if (!args_parse(argc, argv, &common, options, 4, none, 0, 0))
        return CLI_REFUSED;
    arena_init(&memory, 256 << 20);
    buf_init(&file);
    mandate_status status = shape_of(&s, &err);
    if (!status) {
        infer_put(&file, &s);
        status = prove(&file, &err);
    }
    if (status)
        out_problem("%s", err.text);
    else
        fputs(buf_cstr(&file), stdout);
    buf_deinit(&file);
    arena_deinit(&memory);
    return status ? CLI_REFUSED : CLI_OK;
}
