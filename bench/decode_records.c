/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_records - written byte by byte here, so that neither our decoder nor Avro C's is asked what Avro looks like.
 */
#include "bench/decode_records.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t next(uint64_t *s)
{
    *s += 0x9E3779B97F4A7C15u;
    uint64_t z = *s;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void put_long(buf *b, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    for (; u >= 0x80; u >>= 7)
        buf_put_char(b, (char)(u | 0x80));
    buf_put_char(b, (char)u);
}

static void put_text(buf *b, const char *text)
{
    put_long(b, (int64_t)strlen(text));
    buf_put_str(b, text);
}

/* Branch 1 of ["null", "string"]. */
static void put_some_text(buf *b, const char *text)
{
    put_long(b, 1);
    put_text(b, text);
}

static void put_some_long(buf *b, int64_t v)
{
    put_long(b, 1);
    put_long(b, v);
}

static const char *const statuses[] = {"open", "won", "lost", "negotiating"};

/* --- avro8 --- */

void decode_records_avro8(decode_records *out, uint64_t seed)
{
    *out = (decode_records){
        .name = "avro8",
        .schema = "{\"type\":\"record\",\"name\":\"Deal\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},"
                  "{\"name\":\"account\",\"type\":\"long\"},{\"name\":\"status\",\"type\":\"string\"},"
                  "{\"name\":\"owner\",\"type\":\"string\"},{\"name\":\"amount\",\"type\":\"double\"},"
                  "{\"name\":\"probability\",\"type\":\"int\"},{\"name\":\"active\",\"type\":\"boolean\"},"
                  "{\"name\":\"updated_at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}]}",
        .connector = "connector: bench\ntopics: t\ndecode: {format: avro, schema: '@', key_format: none}\n"
                     "types: {crm.deal: {attributes: {status: string, owner: string, amount: double, probability: int, "
                     "active: bool}, references: {account: {type: crm.account}}}}\n"
                     "entities:\n  - type: crm.deal\n    id: value.id\n"
                     "    attributes: {status: value.status, owner: value.owner, amount: value.amount, probability: "
                     "value.probability, active: value.active}\n"
                     "    references: {account: {type: crm.account, id: value.account}}\nevent_time: value.updated_at\n"};
    buf_init(&out->data);
    for (uint32_t i = 0; i < DECODE_RECORDS; i++) {
        char id[32];
        double amount = (double)(next(&seed) % 10000000) / 100;
        out->at[i] = out->data.len;
        snprintf(id, sizeof(id), "D-%06" PRIu64, next(&seed) % 1000000);
        put_text(&out->data, id);
        put_long(&out->data, (int64_t)(next(&seed) % 100000));
        put_text(&out->data, statuses[next(&seed) % 4]);
        snprintf(id, sizeof(id), "user-%04" PRIu64, next(&seed) % 10000);
        put_text(&out->data, id);
        buf_put(&out->data, &amount, 8);
        put_long(&out->data, (int64_t)(next(&seed) % 101));
        buf_put_char(&out->data, (char)(next(&seed) & 1));
        put_long(&out->data, 1700000000000 + (int64_t)(next(&seed) % 1000000000));
        out->at[i + 1] = out->data.len;
    }
}

/* --- Debezium --- */

/* What both forms of a change event say. */
typedef struct row {
    int64_t id, account, amount_cents, updated_us, ts_ms, tx, lsn;
    const char *status;
    char owner[24], name[40], note[80];
} row;

static void make_row(row *r, uint64_t *seed)
{
    r->id = (int64_t)(next(seed) % 1000000);
    r->account = (int64_t)(next(seed) % 100000);
    r->amount_cents = (int64_t)(next(seed) % 10000000);
    r->ts_ms = 1700000000000 + (int64_t)(next(seed) % 1000000000);
    r->updated_us = r->ts_ms * 1000 + (int64_t)(next(seed) % 1000);
    r->tx = (int64_t)(next(seed) % 100000);
    r->lsn = 24000000 + (int64_t)(next(seed) % 1000000);
    r->status = statuses[next(seed) % 4];
    snprintf(r->owner, sizeof(r->owner), "user-%04" PRIu64, next(seed) % 10000);
    snprintf(r->name, sizeof(r->name), "Renewal of account %05" PRId64, r->account);
    snprintf(r->note, sizeof(r->note), "follow up in week %" PRIu64 ", waiting for procurement", next(seed) % 52);
}

#define MAPPING                                                                                                      \
    "types: {crm.deal: {attributes: {status: string, owner: string}, references: {account: {type: crm.account}}}}\n" \
    "when: op in ['c', 'r', 'u', 'd']\n"                                                                             \
    "entities:\n  - type: crm.deal\n    id: after.id\n    attributes: {status: after.status, owner: after.owner}\n"  \
    "    references: {account: {type: crm.account, id: after.account_id}}\n    delete: op == 'd'\n"                  \
    "event_time: source.ts_ms\n"

#define SOME_TEXT(name) "{\"name\":\"" name "\",\"type\":[\"null\",\"string\"],\"default\":null}"
#define SOME_LONG(name) "{\"name\":\"" name "\",\"type\":[\"null\",\"long\"],\"default\":null}"
#define TEXT(name) "{\"name\":\"" name "\",\"type\":\"string\"}"
#define LONG(name) "{\"name\":\"" name "\",\"type\":\"long\"}"

static const char
    debezium_schema[] = "{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"crm.public.deal\",\"fields\":["
                        "{\"name\":\"before\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Value\",\"fields\":[" LONG(
                            "id") "," SOME_LONG("account_id") "," SOME_TEXT("status") "," SOME_TEXT("owner") "," SOME_TEXT("name") "," SOME_TEXT("note") ","
                                                                                                                                                         "{\"name\":\"amount\",\"type\":[\"null\",{\"type\":\"bytes\",\"scale\":2,\"precision\":12,\"connect.name\":"
                                                                                                                                                         "\"org.apache.kafka.connect.data.Decimal\",\"logicalType\":\"decimal\"}]}," SOME_LONG("probability") ","
                                                                                                                                                                                                                                                              "{\"name\":\"updated_at\",\"type\":[\"null\",{\"type\":\"long\",\"connect.name\":\"io."
                                                                                                                                                                                                                                                              "debezium.time.MicroTimestamp\"}]},"
                                                                                                                                                                                                                                                              "{\"name\":\"closed\",\"type\":[\"null\",\"boolean\"]}," SOME_TEXT(
                                                                                                                                                                                                                                                                  "region") "," SOME_TEXT("currency") "]}],\"default\":null},"
                                                                                                                                                                                                                                                                                                      "{\"name\":\"after\",\"type\":[\"null\",\"Value\"],\"default\":null},"
                                                                                                                                                                                                                                                                                                      "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"Source\","
                                                                                                                                                                                                                                                                                                      "\"namespace\":\"io.debezium.connector.postgresql\","
                                                                                                                                                                                                                                                                                                      "\"fields\":[" TEXT("version") "," TEXT("connector") "," TEXT(
                                                                                                                                                                                                                                                                                                          "name") "," LONG("ts_ms") ","
                                                                                                                                                                                                                                                                                                                                    "{\"name\":\"snapshot\",\"type\":[\"null\",\"string\"]}"
                                                                                                                                                                                                                                                                                                                                    "," TEXT("db") "," SOME_TEXT(
                                                                                                                                                                                                                                                                                                                                        "sequence") "," SOME_LONG("ts_"
                                                                                                                                                                                                                                                                                                                                                                  "us") "," SOME_LONG("ts_ns") "," TEXT("schema") "," TEXT("table") "," SOME_LONG("txId") "," SOME_LONG("lsn") "," SOME_LONG("xmin") "]}},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "{\"name\":\"transaction\","
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "\"type\":[\"null\",{"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "\"type\":\"record\","
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "\"name\":\"block\","
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "\"namespace\":\"event\","
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "\"fields\":[" TEXT("id") "," LONG("total_order") "," LONG("data_collection_order") "]}],\"default\":null}," TEXT("op") "," SOME_LONG("ts"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "_m"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "s") "," SOME_LONG("ts_us") "," SOME_LONG("ts_ns") "]}";

static void put_avro_row(buf *b, const row *r)
{
    const uint8_t cents[4] = {(uint8_t)(r->amount_cents >> 24), (uint8_t)(r->amount_cents >> 16),
                              (uint8_t)(r->amount_cents >> 8), (uint8_t)r->amount_cents};
    put_long(b, r->id);
    put_some_long(b, r->account);
    put_some_text(b, r->status);
    put_some_text(b, r->owner);
    put_some_text(b, r->name);
    put_some_text(b, r->note);
    put_long(b, 1);
    put_long(b, 4);
    buf_put(b, cents, 4);
    put_some_long(b, r->id % 101);
    put_some_long(b, r->updated_us);
    put_long(b, 1);
    buf_put_char(b, (char)(r->id & 1));
    put_some_text(b, "EMEA");
    put_some_text(b, "EUR");
}

static void put_avro_source(buf *b, const row *r)
{
    put_text(b, "3.3.1.Final");
    put_text(b, "postgresql");
    put_text(b, "crm");
    put_long(b, r->ts_ms);
    put_some_text(b, "false");
    put_text(b, "sales");
    put_some_text(b, "[\"24023128\",\"24023128\"]");
    put_some_long(b, r->ts_ms * 1000);
    put_some_long(b, r->ts_ms * 1000000);
    put_text(b, "public");
    put_text(b, "deal");
    put_some_long(b, r->tx);
    put_some_long(b, r->lsn);
    put_long(b, 0);
}

void decode_records_debezium_avro(decode_records *out, uint64_t seed)
{
    *out =
        (decode_records){.name = "debezium_avro",
                         .schema = debezium_schema,
                         .connector = "connector: bench\ntopics: t\ndecode: {format: avro, schema: '@', key_format: none, "
                                      "envelope: debezium}\n" MAPPING};
    buf_init(&out->data);
    for (uint32_t i = 0; i < DECODE_RECORDS; i++) {
        row r;
        make_row(&r, &seed);
        out->at[i] = out->data.len;
        put_long(&out->data, 0);
        put_long(&out->data, 1);
        put_avro_row(&out->data, &r);
        put_avro_source(&out->data, &r);
        put_long(&out->data, 0);
        put_text(&out->data, "u");
        put_some_long(&out->data, r.ts_ms + 40);
        put_some_long(&out->data, (r.ts_ms + 40) * 1000);
        put_some_long(&out->data, (r.ts_ms + 40) * 1000000);
        out->at[i + 1] = out->data.len;
    }
}

void decode_records_debezium_json(decode_records *out, uint64_t seed)
{
    *out = (decode_records){.name = "debezium_json",
                            .connector = "connector: bench\ntopics: t\ndecode: {format: json, key_format: none, "
                                         "envelope: debezium}\n" MAPPING};
    buf_init(&out->data);
    for (uint32_t i = 0; i < DECODE_RECORDS; i++) {
        row r;
        make_row(&r, &seed);
        out->at[i] = out->data.len;
        buf_printf(
            &out->data,
            "{\"before\":null,\"after\":{\"id\":%" PRId64 ",\"account_id\":%" PRId64 ",\"status\":\"%s\",\"owner\":\"%s\","
            "\"name\":\"%s\",\"note\":\"%s\",\"amount\":\"%" PRId64 ".%02d\",\"probability\":%d,\"updated_at\":%" PRId64
            ",\"closed\":%s,\"region\":\"EMEA\",\"currency\":\"EUR\",\"contact\":\"buyer-%" PRId64
            "@customer.example\",\"created_at\":%" PRId64
            ",\"closed_at\":null,\"competitor\":null,\"campaign\":\"the autumn renewals, second wave of three\"},",
            r.id, r.account, r.status, r.owner, r.name, r.note, r.amount_cents / 100, (int)(r.amount_cents % 100),
            (int)(r.id % 101), r.updated_us, r.id & 1 ? "true" : "false", r.account, r.updated_us - 86400000000);
        buf_printf(&out->data,
                   "\"source\":{\"version\":\"3.3.1.Final\",\"connector\":\"postgresql\",\"name\":\"crm\",\"ts_ms\":%" PRId64
                   ",\"snapshot\":\"false\",\"db\":\"sales\",\"sequence\":\"[\\\"24023128\\\",\\\"24023128\\\"]\",\"ts_us\":"
                   "%" PRId64 "000,\"ts_ns\":%" PRId64 "000000,\"schema\":\"public\",\"table\":\"deal\",\"txId\":%" PRId64
                   ",\"lsn\":%" PRId64 ",\"xmin\":null},\"transaction\":null,\"op\":\"u\",\"ts_ms\":%" PRId64
                   ",\"ts_us\":%" PRId64 "000,\"ts_ns\":%" PRId64 "000000}",
                   r.ts_ms, r.ts_ms, r.ts_ms, r.tx, r.lsn, r.ts_ms + 40, r.ts_ms + 40, r.ts_ms + 40);
        out->at[i + 1] = out->data.len;
    }
}

void decode_records_deinit(decode_records *r) { buf_deinit(&r->data); }
