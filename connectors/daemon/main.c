/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandated - the daemon. A table of commands; each has a file of its own.
 */
#include "connectors/daemon/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/zone/zone_files.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* gets the arguments after the name */
    const char *usage, *help;
} command;

static const command commands[] = {
    {"--config", cmd_run, "FILE", "run the daemon"},
    {"check-config", cmd_check_config, "FILE",
     "check a configuration with its entity types and connectors, and say what is wrong"},
    {"--help-config", cmd_help_config, "[--markdown|--json-schema]", "print every configuration key"},
    {"journal", cmd_journal, "--config FILE [--from N] [--to N]",
     "print inputs and transitions as JSON lines (the daemon must be stopped)"},
};

static void help(void)
{
    printf("mandated %s - ends AI agents' mandates when their business reason ends\n\n", mandate_version());
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printf("  mandated %s %s\n      %s\n", commands[i].name, commands[i].usage, commands[i].help);
    printf("  mandated --version\n  mandated --help\n\nexit codes:\n");
#define X(name, code, text) printf("  %3d  %s\n", code, text);
    DAEMON_EXIT_MAP(X)
#undef X
}

int command_usage(const char *format, ...)
{
    va_list args;

    fputs("mandated: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\n", stderr);
    return DAEMON_EXIT_USAGE;
}

int command_fail(const mandate_error *err)
{
    fprintf(stderr, "mandated: %s\n", err->text);
    switch (err->status) {
    case MANDATE_IO:
    case MANDATE_CORRUPT:
    case MANDATE_NOMEM:
        return DAEMON_EXIT_STORAGE;
    case MANDATE_UNAVAILABLE:
    case MANDATE_CONFLICT:
        return DAEMON_EXIT_UNAVAILABLE;
    default:
        return DAEMON_EXIT_USAGE;
    }
}

int main(int argc, char **argv)
{
    zone_files_install();
    if (argc < 2) {
        help();
        return DAEMON_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("mandated %s\n", mandate_version());
        return DAEMON_EXIT_OK;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        help();
        return DAEMON_EXIT_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 2, argv + 2);
    return command_usage("there is no command '%s'; see mandated --help", argv[1]);
}
