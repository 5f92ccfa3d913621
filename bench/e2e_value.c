/* SPDX-License-Identifier: Apache-2.0 */
/* e2e_value - see e2e_value.h. The Avro schema is the one that bench/e2e.py serves; both list the fields in this order. */
#include "bench/e2e_value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

bool e2e_format_parse(e2e_format *out, const char *name)
{
    static const char *const names[] = {"json", "avro", "debezium"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            *out = (e2e_format)i;
            return true;
        }
    return false;
}

static int flat(char *out, const char *id, mandate_slice status, const workload_deal *d)
{
    return snprintf(out, E2E_VALUE_MAX,
                    "{\"id\":\"%s\",\"status\":\"%.*s\",\"amount\":%d,\"score\":%d,\"a\":%s,\"b\":%s,\"c\":%s}", id,
                    MANDATE_SLICE_ARG(status), d->amount, d->score, d->a ? "true" : "false", d->b ? "true" : "false",
                    d->c ? "true" : "false");
}

static size_t put_long(char *out, int64_t v)
{
    uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    size_t n = 0;
    for (; z > 127; z >>= 7)
        out[n++] = (char)(z | 128);
    out[n++] = (char)z;
    return n;
}

static size_t put_text(char *out, mandate_slice s)
{
    size_t n = put_long(out, (int64_t)s.len);
    memcpy(out + n, s.ptr, s.len);
    return n + s.len;
}

static size_t avro(char *out, const char *id, mandate_slice status, const workload_deal *d, int64_t ms)
{
    static const char framing[] = {0, 0, 0, 0, E2E_SCHEMA_ID};
    size_t n = sizeof(framing);
    memcpy(out, framing, n);
    n += put_text(out + n, mandate_slice_str(id));
    n += put_text(out + n, status);
    n += put_long(out + n, d->amount);
    n += put_long(out + n, d->score);
    out[n++] = d->a;
    out[n++] = d->b;
    out[n++] = d->c;
    return n + put_long(out + n, ms);
}

/* The row, the row before with its key only (REPLICA IDENTITY DEFAULT), and what every such event carries. */
static int debezium(char *out, const char *id, mandate_slice status, const workload_deal *d, int64_t ms)
{
    return snprintf(
        out, E2E_VALUE_MAX,
        "{\"before\":null,\"after\":{\"id\":\"%s\",\"status\":\"%.*s\",\"amount\":%d,\"score\":%d,\"a\":%s,\"b\":%s,\"c\":%"
        "s,"
        "\"owner\":\"sales-team-northern-region\",\"title\":\"Renewal of the framework agreement, second extension\","
        "\"notes\":\"The customer asked for a longer term of payment; legal has seen the draft and agrees to it.\","
        "\"created_at\":1759000000000000,\"updated_at\":%lld000},"
        "\"source\":{\"version\":\"3.0.0.Final\",\"connector\":\"postgresql\",\"name\":\"crm\",\"ts_ms\":%lld,"
        "\"snapshot\":\"false\",\"db\":\"crm\",\"sequence\":\"[\\\"24023128\\\",\\\"24023184\\\"]\",\"ts_us\":%lld000,"
        "\"ts_ns\":%lld000000,\"schema\":\"public\",\"table\":\"deals\",\"txId\":783,\"lsn\":24023184,\"xmin\":null},"
        "\"transaction\":null,\"op\":\"u\",\"ts_ms\":%lld,\"ts_us\":%lld123,\"ts_ns\":%lld123456}",
        id, MANDATE_SLICE_ARG(status), d->amount, d->score, d->a ? "true" : "false", d->b ? "true" : "false",
        d->c ? "true" : "false", (long long)ms, (long long)ms, (long long)ms, (long long)ms, (long long)ms + 5,
        (long long)ms + 5, (long long)ms + 5);
}

size_t e2e_value(char out[E2E_VALUE_MAX], e2e_format format, const workload *w, uint32_t deal, uint64_t number)
{
    const workload_deal *d = &w->facts[deal];
    mandate_slice status = cel_text(workload_value(FIELD_STATUS, d->status));
    int64_t ms = E2E_FIRST_MS + (int64_t)number;
    char id[24];
    int n;
    workload_deal_id(id, deal);
    if (format == E2E_AVRO)
        return avro(out, id, status, d, ms);
    n = format == E2E_DEBEZIUM ? debezium(out, id, status, d, ms) : flat(out, id, status, d);
    assert(n > 0 && n < E2E_VALUE_MAX);
    return (size_t)n;
}
