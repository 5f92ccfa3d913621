/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - what a command of mandatectl is: a row of the table in main.c and a function in a file
 * of its own.
 *
 * A command gets the arguments after its own words: `mandatectl topic tail T --count 3` runs
 * cmd_topic_tail with
 * {"T", "--count", "3"}. It returns an exit code, writes answers to stdout and everything else to
 * stderr.
 */
#ifndef MANDATE_CONNECTORS_CLI_COMMAND_H
#define MANDATE_CONNECTORS_CLI_COMMAND_H

#include "connectors/policy/power.h"

/* Exit codes; documented by `mandatectl --help`. */
#define EXIT_CODE_MAP(X)                                                                 \
    X(OK, 0, "done; a check was permitted")                                              \
    X(REFUSED, 1, "usage error, or the server refused")                                  \
    X(UNREACHABLE, 2, "the server or broker could not be reached, or cannot answer now") \
    X(DENIED, 3, "a check was denied; a watched mandate ended")                          \
    X(INTERNAL, 70, "an internal error")

typedef enum exit_code {
#define X(name, code, text) CLI_##name = code,
    EXIT_CODE_MAP(X)
#undef X
} exit_code;

typedef struct command {
    const char *group, *name; /* "mandate", "issue" */
    int (*run)(int argc, char **argv);
    power power;       /* that the server wants of the caller; POWER_LOCAL: no server is asked */
    const char *usage; /* arguments, one line */
    const char *help;  /* one line */
} command;

int cmd_mandate_issue(int argc, char **argv);
int cmd_mandate_lint(int argc, char **argv);  /* cmd_lint.c */
int cmd_mandate_amend(int argc, char **argv); /* cmd_delegate.c */
int cmd_mandate_delegate(int argc, char **argv);
int cmd_mandate_backtest(int argc, char **argv); /* cmd_backtest.c */
int cmd_compliance_check(int argc, char **argv); /* cmd_compliance.c */
int cmd_compliance_try(int argc, char **argv);   /* cmd_compliance.c */
int cmd_mandate_spend(int argc, char **argv);
int cmd_mandate_unspend(int argc, char **argv); /* cmd_spend.c */
int cmd_mandate_get(int argc, char **argv);
int cmd_mandate_list(int argc, char **argv);
int cmd_mandate_revoke(int argc, char **argv);
int cmd_mandate_suspend(int argc, char **argv);
int cmd_mandate_resume(int argc, char **argv);
int cmd_mandate_return(int argc, char **argv);
int cmd_mandate_explain(int argc, char **argv);
int cmd_mandate_watch(int argc, char **argv);
int cmd_mandate_check(int argc, char **argv);
int cmd_mandate_token(int argc, char **argv);
int cmd_mandate_handle(int argc, char **argv); /* cmd_token.c */
int cmd_mandate_verify(int argc, char **argv); /* cmd_token.c */
int cmd_key_new(int argc, char **argv);        /* cmd_key.c */
int cmd_key_show(int argc, char **argv);       /* cmd_key.c */
int cmd_decision_list(int argc, char **argv);
int cmd_decision_show(int argc, char **argv);
int cmd_decision_permit(int argc, char **argv);
int cmd_decision_refuse(int argc, char **argv);
int cmd_watch_add(int argc, char **argv);    /* cmd_watches.c */
int cmd_watch_list(int argc, char **argv);   /* cmd_watches.c */
int cmd_watch_get(int argc, char **argv);    /* cmd_watches.c */
int cmd_watch_remove(int argc, char **argv); /* cmd_watches.c */
int cmd_watch_tail(int argc, char **argv);   /* cmd_topic_tail.c */
int cmd_entity_get(int argc, char **argv);
int cmd_connector_check(int argc, char **argv); /* cmd_connector.c */
int cmd_connector_try(int argc, char **argv);   /* cmd_connector.c */
int cmd_connector_infer(int argc, char **argv);
int cmd_connector_status(int argc, char **argv);
int cmd_connector_clear(int argc, char **argv);
int cmd_connector_replay(int argc, char **argv);
int cmd_connector_requeue(int argc, char **argv);
int cmd_event_assert(int argc, char **argv);     /* cmd_event.c */
int cmd_policy_check(int argc, char **argv);     /* cmd_policy.c */
int cmd_policy_try(int argc, char **argv);       /* cmd_policy.c */
int cmd_policy_powers(int argc, char **argv);    /* cmd_policy.c */
int cmd_whoami(int argc, char **argv);           /* cmd_me.c */
int cmd_audit_checkpoint(int argc, char **argv); /* cmd_audit.c */
int cmd_audit_key(int argc, char **argv);        /* cmd_audit.c */
int cmd_audit_entries(int argc, char **argv);    /* cmd_audit.c */
int cmd_audit_proof(int argc, char **argv);      /* cmd_audit.c */
int cmd_audit_export(int argc, char **argv);     /* cmd_audit_export.c */
int cmd_audit_verify(int argc, char **argv);     /* cmd_audit_verify.c */
int cmd_backup(int argc, char **argv);           /* cmd_audit.c */
int cmd_topic_tail(int argc, char **argv);
int cmd_topic_send(int argc, char **argv);
int cmd_cel_batch(int argc, char **argv); /* cel_batch.c */
int cmd_cel_eval(int argc, char **argv);
int cmd_cel_check(int argc, char **argv);
int cmd_cel_fmt(int argc, char **argv);
int cmd_cel_cost(int argc, char **argv);
int cmd_cel_functions(int argc, char **argv);
int cmd_cel_explain(int argc, char **argv); /* cel_explain.c */
int cmd_cel_ast(int argc, char **argv);     /* cel_tree.c */

#endif
