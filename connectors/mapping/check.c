/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - see check.h. Problems of one file do not keep the others from being read, so a wrong entity type file may
 * make connectors complain as well; the report is in file order, the cause first.
 */
#include "connectors/mapping/check_int.h"

#include <stdlib.h>

#include "connectors/config/config.h"
#include "connectors/mapping/connector_int.h"

static void checked_deinit(checked *k)
{
    for (uint32_t i = 0; i < k->count; i++)
        connector_destroy(k->connectors[i]);
    free(k->connectors);
    schema_destroy(k->s);
}

static mandate_status check_files(checked *k, const char *const *entities, uint32_t entity_count,
                                  const char *const *connectors, uint32_t connector_count, const check_condition *conditions,
                                  uint32_t condition_count, problems *p, mandate_error *err)
{
    static const connector_load_options options = {.offline = true};
    source_text where = {"", {0}};
    mandate_error lower = {0};
    mandate_status status = schema_create(&k->s, err);
    if (status)
        return status;
    k->connectors = calloc(connector_count ? connector_count : 1, sizeof(*k->connectors));
    if (!k->connectors)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for the connectors");
    /* The statuses are in `p` too: every file is read, whatever the one before it said. */
    for (uint32_t i = 0; i < entity_count; i++)
        status = entity_types_load_with(k->s, entities[i], NULL, p);
    for (uint32_t i = 0; i < connector_count; i++) {
        status = connector_load_with(&k->connectors[k->count], k->s, connectors[i], NULL, &options, p);
        k->count += status == MANDATE_OK;
    }
    check_across(k, entities, entity_count, p);
    if (p->count)
        return MANDATE_OK; /* and problems_result says which */
    status = schema_freeze(k->s, err);
    for (uint32_t i = 0; i < k->count && !status; i++) {
        where.path = connector_path(k->connectors[i]);
        if (connector_bind(k->connectors[i], k->s, &lower))
            problem_add(p, &where, lower.status, 0, 0, "%s", lower.text);
    }
    for (uint32_t i = 0; i < condition_count && !status; i++)
        check_condition_text(k->s, &conditions[i], p);
    return status;
}

/* --- the summary -------------------------------------------------------------------------------------------------- */

static void put_connector(buf *b, const connector *c)
{
    buf_printf(b, "  connector %s: topics", c->name);
    for (uint32_t i = 0; i < c->topic_count; i++)
        buf_printf(b, "%s %s", i ? "," : "", c->topics[i]);
    buf_printf(b, "; envelope %s\n", c->envelope->name);
}

static void put_type(buf *b, const schema *s, const schema_type *t)
{
    buf_printf(b, "  %s\n", t->name);
    for (uint16_t i = 0; i < t->field_count; i++) {
        const schema_field *f = &t->fields[i];
        buf_printf(b, "    %s: ", f->name);
        if (f->kind == SCHEMA_REFERENCE)
            buf_printf(b, "-> %s", schema_type_at(s, f->target)->name);
        else
            cel_type_print(b, f->type);
        if (!f->supplied)
            buf_put_str(b, "  (no connector supplies it)");
        buf_put_char(b, '\n');
    }
}

static void put_summary(buf *b, const checked *k)
{
    buf_printf(b, "ok: %u connector%s, %u entity type%s\n", k->count, k->count == 1 ? "" : "s", schema_type_count(k->s),
               schema_type_count(k->s) == 1 ? "" : "s");
    for (uint32_t i = 0; i < k->count; i++)
        put_connector(b, k->connectors[i]);
    for (uint16_t i = 0; i < schema_type_count(k->s); i++)
        put_type(b, k->s, schema_type_at(k->s, i));
}

/* Problems of a configuration may be in `p` already. */
static mandate_status check_all(const char *const *entities, uint32_t entity_count, const char *const *connectors,
                                uint32_t connector_count, const check_condition *conditions, uint32_t condition_count,
                                problems *p, buf *report, mandate_error *err)
{
    checked k = {0};
    mandate_status status =
        check_files(&k, entities, entity_count, connectors, connector_count, conditions, condition_count, p, err);
    if (!status) {
        status = problems_result(p, err);
        buf_put_slice(report, buf_slice(&p->text));
        if (p->count > PROBLEMS_SHOWN)
            buf_printf(report, "... and %u more\n", p->count - PROBLEMS_SHOWN);
    }
    if (!status)
        put_summary(report, &k);
    checked_deinit(&k);
    return status;
}

mandate_status connectors_check(const char *const *entities, uint32_t entity_count, const char *const *connectors,
                                uint32_t connector_count, const check_condition *conditions, uint32_t condition_count,
                                buf *report, mandate_error *err)
{
    problems p;
    problems_init(&p);
    mandate_status status =
        check_all(entities, entity_count, connectors, connector_count, conditions, condition_count, &p, report, err);
    problems_deinit(&p);
    return status;
}

mandate_status config_check(const char *path, buf *report, mandate_error *err)
{
    config c;
    problems p;
    problems_init(&p);
    /* A wrong configuration still names files that can be read. */
    mandate_status status = config_read(&c, path, NULL, &p);
    status = check_all(c.entities.items, c.entities.count, c.connectors.items, c.connectors.count, NULL, 0, &p, report, err);
    config_destroy(&c);
    problems_deinit(&p);
    return status;
}

mandate_status check_schema(schema **out, const char *const *entities, uint32_t entity_count, const char *const *connectors,
                            uint32_t connector_count, buf *report, mandate_error *err)
{
    checked k = {0};
    problems p;
    problems_init(&p);
    mandate_status status = check_files(&k, entities, entity_count, connectors, connector_count, NULL, 0, &p, err);
    if (!status) {
        status = problems_result(&p, err);
        buf_put_slice(report, buf_slice(&p.text));
    }
    if (!status) {
        *out = k.s;
        k.s = NULL;
    }
    checked_deinit(&k);
    problems_deinit(&p);
    return status;
}
