/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandated - the daemon. A table of commands; each has a file of its own.
 */
#include "connectors/daemon/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/config/roff.h"
#include "connectors/zone/zone_files.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* gets the arguments after the name */
    const char *usage, *help;
} command;

static const command commands[] = {
    {"--config", cmd_run, "FILE [--accept-older-database]",
     "run the daemon; a database that is older than its last checkpoint only when told to, once: it goes on as another log"},
    {"check-config", cmd_check_config, "FILE",
     "check a configuration with its entity types and connectors, and say what is wrong"},
    {"--help-config", cmd_help_config, "[--markdown|--json-schema|--man]", "print every configuration key"},
    {"journal", cmd_journal, "--config FILE [--from N] [--to N]",
     "print inputs and transitions as JSON lines (the daemon must be stopped)"},
    {"backtest", cmd_backtest, "--config FILE [--data DIR] --from TIME [--to TIME] MANDATE...",
     "what would have become of mandates (JSON files, parents first) issued then, on the history of a stopped daemon or of "
     "a "
     "backup in DIR, as JSON"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

#define PURPOSE "ends AI agents' mandates when their business reason ends"

static void help(void)
{
    printf("mandated %s - " PURPOSE "\n\n", mandate_version());
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  mandated %s %s\n      %s\n", commands[i].name, commands[i].usage, commands[i].help);
    printf("  mandated --man\n      print this as a manual page, mandated(8)\n"
           "  mandated --version\n  mandated --help\n\nexit codes:\n");
#define X(name, code, text) printf("  %3d  %s\n", code, text);
    DAEMON_EXIT_MAP(X)
#undef X
}

static int manual(void)
{
    buf b;
    char text[64];

    buf_init(&b);
    roff_begin(&b, "MANDATED", 8, mandate_version(), "mandated", PURPOSE);
    roff_section(&b, "COMMANDS");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        snprintf(text, sizeof(text), "mandated %s", commands[i].name);
        roff_term(&b, text, commands[i].usage, commands[i].help);
    }
    roff_term(&b, "mandated --man", NULL, "print this page");
    roff_term(&b, "mandated --version", NULL, "the version");
    roff_term(&b, "mandated --help", NULL, "this list in short");
    roff_section(&b, "SIGNALS");
    roff_term(&b, "SIGTERM, SIGINT", NULL, "Stop: within two seconds, whatever the brokers do.");
    roff_term(&b, "SIGHUP", NULL,
              "Read the connector files anew. They are checked first; a bad file changes nothing and the log says why. New "
              "entity types or topics restart the process in place.");
    roff_section(&b, "EXIT STATUS");
#define X(name, code, means)                  \
    snprintf(text, sizeof(text), "%d", code); \
    roff_term(&b, text, NULL, means);
    DAEMON_EXIT_MAP(X)
#undef X
    roff_section(&b, "SEE ALSO");
    roff_text(&b, "mandated.yaml(5), mandatectl(1)");
    bool written = fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0;
    buf_deinit(&b);
    return written ? DAEMON_EXIT_OK : DAEMON_EXIT_STORAGE;
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
    if (!strcmp(argv[1], "--man"))
        return manual();
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 2, argv + 2);
    return command_usage("there is no command '%s'; see mandated --help", argv[1]);
}
