/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_check_config - everything that can be known without a broker and a database: keys, types, mapping expressions. All
 * problems are listed, not only the first, then how many there are.
 */
#include "connectors/daemon/command.h"
#include "connectors/daemon/rules/restricts.h"

#include "connectors/comply/comply.h"
#include "connectors/config/config.h"
#include "connectors/mapping/check.h"
#include "connectors/policy/policy.h"

#include <stdio.h>

/* The compliance file that it names: problems to the report. */
static mandate_status check_compliance(const char *path, buf *report, mandate_error *err)
{
    config c;
    problems ignored, found; /* those of the configuration itself were told */
    comply *rules = NULL;
    mandate_status status = MANDATE_OK;

    problems_init(&ignored);
    problems_init(&found);
    if (config_read(&c, path, NULL, &ignored) == MANDATE_OK && c.compliance &&
        comply_load(&rules, c.compliance, NULL, &found) != MANDATE_OK) {
        status = problems_result(&found, err);
        buf_put_slice(report, buf_slice(&found.text));
    } else if (rules) {
        buf_printf(report, "  compliance %s: %u rules\n", comply_name(rules), comply_rule_count(rules));
    }
    comply_drop(rules);
    config_destroy(&c);
    problems_deinit(&ignored);
    problems_deinit(&found);
    return status;
}

/* The policy likewise. Key sets that it names may be elsewhere: they are read at the start. */
static mandate_status check_policy(const char *path, buf *report, mandate_error *err)
{
    config c;
    problems ignored, found;
    policy *p = NULL;
    mandate_status status = MANDATE_OK;

    problems_init(&ignored);
    problems_init(&found);
    if (config_read(&c, path, NULL, &ignored) == MANDATE_OK && c.policy &&
        policy_load(&p, c.policy, NULL, &found) != MANDATE_OK) {
        status = problems_result(&found, err);
        buf_put_slice(report, buf_slice(&found.text));
    } else if (p) {
        buf_printf(report, "  policy %s\n", policy_name(p));
    }
    policy_destroy(p);
    config_destroy(&c);
    problems_deinit(&ignored);
    problems_deinit(&found);
    return status;
}

static mandate_status check_restricts(const char *path, buf *report, mandate_error *err)
{
    config c;
    problems ignored;
    arena a;
    const claims_disclosure *rules;
    mandate_status status = MANDATE_OK;

    problems_init(&ignored);
    arena_init(&a, 0);
    if (config_read(&c, path, NULL, &ignored) == MANDATE_OK)
        status = restricts_load(&rules, &c.disclosure.restrict_, &a, err);
    if (status != MANDATE_OK)
        buf_printf(report, "%s: %s\n", path, err->text);
    arena_deinit(&a);
    config_destroy(&c);
    problems_deinit(&ignored);
    return status;
}

int cmd_check_config(int argc, char **argv)
{
    mandate_error err = {0};
    mandate_status status;
    int code = DAEMON_EXIT_OK;
    buf report;

    if (argc != 1)
        return command_usage("check-config takes one file");
    buf_init(&report);
    status = config_check(argv[0], &report, &err);
    if (status == MANDATE_OK)
        status = check_compliance(argv[0], &report, &err);
    if (status == MANDATE_OK)
        status = check_policy(argv[0], &report, &err);
    if (status == MANDATE_OK)
        status = check_restricts(argv[0], &report, &err);
    fwrite(report.data, 1, report.len, status == MANDATE_OK ? stdout : stderr);
    /* The report has said it all; only what kept it from being written (memory) is still in the error. */
    if (status != MANDATE_OK)
        code = report.len ? command_usage("%s is not valid", argv[0]) : command_fail(&err);
    buf_deinit(&report);
    return code;
}
