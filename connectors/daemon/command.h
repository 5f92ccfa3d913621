/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - what a command of mandated is: a row of the table in main.c and a function in a file of its own.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_COMMAND_H
#define MANDATE_CONNECTORS_DAEMON_COMMAND_H

#include "mandate/mandate.h"

/* Exit codes; documented by `mandated --help`. */
#define DAEMON_EXIT_MAP(X)                                                               \
    X(OK, 0, "done; the daemon was asked to stop and has stopped")                       \
    X(USAGE, 1, "a wrong argument, or a configuration that is not valid")                \
    X(UNAVAILABLE, 69, "something outside is missing: a port in use, a database in use") \
    X(STORAGE, 70, "our own storage failed or does not check, or there is no memory; stopped at once")

typedef enum daemon_exit {
#define X(name, code, text) DAEMON_EXIT_##name = code,
    DAEMON_EXIT_MAP(X)
#undef X
} daemon_exit;

/* Prints "mandated: <text>" and returns the exit code for a status. */
int command_fail(const mandate_error *err);
/* "mandated: <format>" and DAEMON_EXIT_USAGE. */
int command_usage(const char *format, ...) MANDATE_PRINTF(1, 2);

int cmd_run(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_help_config(int argc, char **argv);
int cmd_journal(int argc, char **argv);
int cmd_backtest(int argc, char **argv);

#endif
