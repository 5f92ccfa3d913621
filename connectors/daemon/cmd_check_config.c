/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_check_config - everything that can be known without a broker and a database: keys, types, mapping expressions. All
 * problems are listed, not only the first, then how many there are.
 */
#include "connectors/daemon/command.h"

#include "connectors/mapping/check.h"

#include <stdio.h>

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
    fwrite(report.data, 1, report.len, status == MANDATE_OK ? stdout : stderr);
    /* The report has said it all; only what kept it from being written (memory) is still in the error. */
    if (status != MANDATE_OK)
        code = report.len ? command_usage("%s is not valid", argv[0]) : command_fail(&err);
    buf_deinit(&report);
    return code;
}
