/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_help_config - the configuration table, as text, Markdown, JSON Schema or manual page.
 */
#include "connectors/daemon/command.h"

#include "connectors/config/config.h"

#include <stdio.h>

int cmd_help_config(int argc, char **argv)
{
    buf out;

    buf_init(&out);
    if (argc == 0)
        config_help(&out);
    else if (argc == 1 && !strcmp(argv[0], "--markdown"))
        config_help_markdown(&out);
    else if (argc == 1 && !strcmp(argv[0], "--json-schema"))
        config_schema_json(&out);
    else if (argc == 1 && !strcmp(argv[0], "--man"))
        config_help_man(&out);
    else
        return command_usage("--help-config takes --markdown, --json-schema or --man, or nothing");
    fwrite(out.data, 1, out.len, stdout);
    buf_deinit(&out);
    return DAEMON_EXIT_OK;
}
