/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_check_config - everything that can be known without a broker and a database: keys, types, mapping expressions.
 */
#include "connectors/daemon/command.h"

#include "connectors/daemon/daemon.h"

#include <stdio.h>
#include <stdlib.h>

int cmd_check_config(int argc, char **argv)
{
    daemon_state *d = calloc(1, sizeof(*d));
    mandate_error err = {0};
    int code = DAEMON_EXIT_OK;

    if (argc != 1 || !d) {
        free(d);
        return command_usage("check-config takes one file");
    }
    if (daemon_load(d, argv[0], &err) != MANDATE_OK)
        code = command_fail(&err);
    else
        printf("%s: good: %u entity types, %u connectors\n", argv[0], (unsigned)schema_type_count(d->schema),
               d->connector_count);
    daemon_close(d);
    free(d);
    return code;
}
