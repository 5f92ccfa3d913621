/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandatectl - the table of commands. Each command is a file of its own; guide.h makes help, manual and completion of it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "connectors/cli/claims_args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/guide.h"
#include "connectors/cli/out.h"
#include "connectors/zone/zone_files.h"
#include "engine/base/text.h"

/* Names mean variables of --vars and --declare, or what --entities declares (as in conditions). */
#define CEL_USAGE "EXPR [--vars FILE|-] [--declare NAME=TYPE]... [--now TIME] [--entities FILE]... [--condition]"

static const command commands[] = {
    {"mandate", "issue", cmd_mandate_issue, POWER_ISSUE, "FILE|- [--restrict PATH[=AUDIENCE|handle,...]]...",
     "issue a mandate from its claims in JSON"},
    {"mandate", "lint", cmd_mandate_lint, POWER_LOCAL,
     "FILE... [--config FILE] [--entities FILE]... [--connector FILE]... [--expiry-days N] [--depth N] [--irreversible "
     "PATTERN]... "
     "[--compliance FILE] [--fail-on error|warning|note|never] [--format text|json|sarif] [--at TIME]",
     "what is wrong with mandates before they are issued, without a server (exit 1: findings)"},
    {"mandate", "delegate", cmd_mandate_delegate, POWER_DELEGATE, "PARENT --agent A [--id ID] " CLAIMS_ARGS_USAGE,
     "grant a part of a mandate to another agent; what is left out is the parent's"},
    {"mandate", "amend", cmd_mandate_amend, POWER_AMEND,
     "ID " CLAIMS_ARGS_USAGE " [--if-version N] [--reason TEXT] [--cascade] [--widen]",
     "make a mandate narrower; --widen, for who may: wider"},
    {"mandate", "backtest", cmd_mandate_backtest, POWER_DEFINE, "FILE... --from TIME [--to TIME]",
     "what would have become of mandates if they had been issued then (exit 3: ended)"},
    {"mandate", "spend", cmd_mandate_spend, POWER_SPEND, "ID NAME AMOUNT --key K [--reason TEXT]",
     "draw on a budget; what is left"},
    {"mandate", "unspend", cmd_mandate_unspend, POWER_SPEND, "ID --key K [--reason TEXT]",
     "give back what was spent with a key"},
    {"mandate", "get", cmd_mandate_get, POWER_READ, "ID", "show a mandate and what last happened to it"},
    {"mandate", "list", cmd_mandate_list, POWER_READ, "[--state S] [--agent A] [--parent P] [--limit N]", "list mandates"},
    {"mandate", "revoke", cmd_mandate_revoke, POWER_REVOKE, "ID [--reason TEXT] [--if-version N]",
     "end a mandate and all delegated from it"},
    {"mandate", "suspend", cmd_mandate_suspend, POWER_SUSPEND, "ID [--until TIME] [--reason TEXT] [--if-version N]",
     "suspend a mandate until it is resumed, or a time"},
    {"mandate", "resume", cmd_mandate_resume, POWER_RESUME, "ID [--reason TEXT] [--if-version N]", "take back a suspension"},
    {"mandate", "return", cmd_mandate_return, POWER_GIVE_BACK, "ID [--reason TEXT] [--if-version N]",
     "give a mandate back, as its agent: it is completed"},
    {"mandate", "explain", cmd_mandate_explain, POWER_READ, "ID [--as-of STEP|TIME]",
     "why it is in its state, term by term, or was then"},
    {"mandate", "watch", cmd_mandate_watch, POWER_READ, "[ID]", "print changes; with an ID, until it ends (exit 3)"},
    {"mandate", "check", cmd_mandate_check, POWER_CHECK,
     "--agent A --action X --resource TYPE/ID [--mandate ID]... [--param NAME=VALUE]... "
     "[--resource-property NAME=VALUE]... [--context NAME=VALUE]... [--at-least POSITION]... [--idempotency-key KEY]",
     "ask for a decision (exit 0 or 3); without a mandate all that the agent holds for it decide"},
    {"mandate", "handle", cmd_mandate_handle, POWER_READ, "HANDLE", "what a handle in a token stands for"},
    {"mandate", "token", cmd_mandate_token, POWER_READ, "ID [--audience A]",
     "the signed mandate and its chain, a token a line, the root first"},
    {"mandate", "verify", cmd_mandate_verify, POWER_LOCAL,
     "--jwks FILE --issuer URI [--audience A] [--agent A] [--action X --resource TYPE/ID [--properties JSON] "
     "[--resource-properties JSON] [--context JSON]] [--at TIME] [--status-list FILE] [--whole] < CHAIN",
     "verify a chain of tokens, without a server (exit 0 or 3)"},
    {"compliance", "check", cmd_compliance_check, POWER_LOCAL, "FILE...", "validate compliance files"},
    {"compliance", "try", cmd_compliance_try, POWER_LOCAL,
     "FILE --mandate FILE [--parent FILE] [--as PRINCIPAL] [--operation issue|delegate|amend] [--at TIME]",
     "which rules a mandate does not meet (exit 1: refused)"},
    {"key", "new", cmd_key_new, POWER_LOCAL, "FILE [--algorithm EdDSA|ES256|RS256]",
     "make a signing key; prints its public half"},
    {"key", "show", cmd_key_show, POWER_LOCAL, "FILE", "the public half of a signing key, as a JWK Set"},
    {"decision", "list", cmd_decision_list, POWER_DECIDE, "[--state open|permitted|refused|expired] [--limit N]",
     "what waits for a human, or did"},
    {"decision", "show", cmd_decision_show, POWER_DECIDE, "ID", "one question in full: who asks for what, and why"},
    {"decision", "permit", cmd_decision_permit, POWER_DECIDE, "ID [--note TEXT] [--valid-for DURATION]",
     "say yes to exactly that; a command that waits is carried out"},
    {"decision", "refuse", cmd_decision_refuse, POWER_DECIDE, "ID [--note TEXT]", "say no"},
    {"watch", "add", cmd_watch_add, POWER_WATCH, "[--id ID] CONDITION",
     "have every flip of a condition's truth value published"},
    {"watch", "list", cmd_watch_list, POWER_READ_CONTEXT, "[--limit N]", "the watches and their values"},
    {"watch", "get", cmd_watch_get, POWER_READ_CONTEXT, "ID", "one watch and its value"},
    {"watch", "remove", cmd_watch_remove, POWER_WATCH, "ID", "end a watch"},
    {"watch", "tail", cmd_watch_tail, POWER_LOCAL,
     "[TOPIC] [--from-beginning] [--exit-at-end] [--count N] [--bootstrap B] [--property K=V]... "
     "[--timeout MS]",
     "read flips as they come (default mandate.watches)"},
    {"entity", "get", cmd_entity_get, POWER_READ_CONTEXT, "TYPE ID [--as-of STEP|TIME]",
     "what is known about an entity, or was then, and from where"},
    {"connector", "check", cmd_connector_check, POWER_LOCAL,
     "FILE... [--entities FILE]... [--mandate FILE]... [--condition TEXT]...",
     "validate connector files, and conditions against what they supply"},
    {"connector", "try", cmd_connector_try, POWER_LOCAL,
     "FILE [--entities FILE]... [--key-file K] [--header K=V]... [--topic T] [--schema FILE] < "
     "RECORD",
     "what a connector makes of one sample record"},
    {"connector", "infer", cmd_connector_infer, POWER_LOCAL,
     "[--schema FILE] [--name NAME] [--topic TOPIC] [--type TYPE] < samples",
     "propose a connector file from JSON samples or an Avro schema"},
    {"connector", "status", cmd_connector_status, POWER_OBSERVE, "[--watch [--interval MS]]",
     "state, offsets and lag of the connectors; --watch: records, rate and time left until all have caught up"},
    {"connector", "clear", cmd_connector_clear, POWER_OPERATE, "NAME",
     "trust a connector again after a poison record or lost position"},
    {"connector", "requeue", cmd_connector_requeue, POWER_LOCAL,
     "NAME [--config FILE] [--dry-run] [--offset [P/]N]... [--file FILE] [--in-any-order] [--bootstrap B] [--dead-letter T] "
     "[--property K=V]...",
     "send its dead-letter records back where they came from"},
    {"connector", "replay", cmd_connector_replay, POWER_OPERATE, "NAME --from beginning|TIME|TOPIC/PARTITION@OFFSET",
     "read its topics again, up to where it is"},
    {"event", "assert", cmd_event_assert, POWER_ASSERT_EVENT, "TYPE ID NAME=VALUE... [--reason TEXT]",
     "say what happened: attributes that their type declares as manual"},
    {"policy", "check", cmd_policy_check, POWER_LOCAL, "FILE...", "validate policy files"},
    {"policy", "try", cmd_policy_try, POWER_LOCAL,
     "FILE --as PRINCIPAL --power POWER [--mandate FILE|-] [--asked FILE] [--state S] [--claims FILE] [--group G]... "
     "[--event TYPE.ATTRIBUTE]... [--id ID] [--change MEMBER]... [--connector C] [--agent A] [--action X] [--resource "
     "TYPE/ID] [--reason TEXT] [--at TIME]",
     "what a policy decides, rule by rule (exit 0 or 3)"},
    {"policy", "whoami", cmd_whoami, POWER_SELF, "", "who the server takes us for, and what we may do"},
    {"policy", "powers", cmd_policy_powers, POWER_LOCAL, "", "the powers that a policy may give"},
    {"audit", "checkpoint", cmd_audit_checkpoint, POWER_AUDIT, "[--key KEY|FILE]",
     "the last signed checkpoint of the audit log; keep it: what it covers can be proved unchanged later"},
    {"audit", "key", cmd_audit_key, POWER_AUDIT, "", "the verifier key of the audit log"},
    {"audit", "entries", cmd_audit_entries, POWER_AUDIT,
     "[--from N|TIME] [--limit N] [--mandate ID] [--txn ID] [--event EVENT]", "what happened, as it is in the audit log"},
    {"audit", "proof", cmd_audit_proof, POWER_AUDIT, "N [--key KEY|FILE] | --since FILE --key KEY|FILE",
     "that entry N is in the log; that a checkpoint which you kept is still its beginning (exit 0 or 3)"},
    {"audit", "export", cmd_audit_export, POWER_AUDIT,
     "DIR | --format jsonl|ocsf|cloudevents [--from N|TIME] [--follow [--interval MS]]",
     "the log as a folder that can be verified without a server, or its entries for a SIEM"},
    {"audit", "verify", cmd_audit_verify, POWER_LOCAL, "DIR --key KEY|FILE [--checkpoint FILE]...",
     "recompute an exported log, without a server; names the first entry that is wrong (exit 0 or 3)"},
    {"backup", "make", cmd_backup, POWER_OPERATE, "NAME",
     "have the daemon copy its database below backup.folder, while in use"},
    {"topic", "tail", cmd_topic_tail, POWER_LOCAL,
     "[TOPIC] [--from-beginning] [--exit-at-end] [--count N] [--bootstrap B] [--property K=V]... "
     "[--timeout MS] [--decode] [--registry URL]... [--schema FILE]",
     "read a topic (default mandate.revocations); --decode: Avro and JSON as what they hold"},
    {"topic", "send", cmd_topic_send, POWER_LOCAL,
     "TOPIC [--key K] [--header K=V]... [--partition P] [--null-value|--lines] [--bootstrap B] "
     "[--property K=V]... [--timeout MS]",
     "write standard input to a topic"},
    {"cel", "eval", cmd_cel_eval, POWER_LOCAL, CEL_USAGE, "evaluate an expression over facts in JSON"},
    {"cel", "check", cmd_cel_check, POWER_LOCAL, CEL_USAGE, "its type, or what is wrong with it"},
    {"cel", "explain", cmd_cel_explain, POWER_LOCAL, CEL_USAGE, "the value of every part of it"},
    {"cel", "cost", cmd_cel_cost, POWER_LOCAL, CEL_USAGE,
     "what an evaluation may cost at most (exit 1: more than a condition may)"},
    {"cel", "ast", cmd_cel_ast, POWER_LOCAL, CEL_USAGE, "its syntax tree with types, macros expanded"},
    {"cel", "functions", cmd_cel_functions, POWER_LOCAL, "[NAME]", "every function and what a call of it costs"},
    {"cel", "fmt", cmd_cel_fmt, POWER_LOCAL, "EXPR", "its text in canonical form"},
    {"cel", "batch", cmd_cel_batch, POWER_LOCAL, "[--libraries strings,math,...] [--trees] < TESTS",
     "answer tests of the specification's shape, a JSON line each"},
};
enum { COMMAND_COUNT = sizeof(commands) / sizeof(*commands) };

static int print_made(void (*make)(buf *b, const command *commands, size_t count))
{
    buf b;

    buf_init(&b);
    make(&b, commands, COMMAND_COUNT);
    bool written = fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0;
    buf_deinit(&b);
    return written ? CLI_OK : CLI_INTERNAL;
}

static int completion(const char *shell)
{
    if (shell && strcmp(shell, "bash") == 0)
        return print_made(guide_bash);
    out_problem("--completion takes the name of a shell that there is a script for: bash");
    return CLI_REFUSED;
}

static int unknown(const char *group, const char *name)
{
    const char *names[COMMAND_COUNT];
    char texts[COMMAND_COUNT][32], asked[64];
    snprintf(asked, sizeof(asked), "%s%s%s", group, name ? " " : "", name ? name : "");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%s %s", commands[i].group, commands[i].name);
        names[i] = texts[i];
    }
    const char *nearest = nearest_name(mandate_slice_str(asked), names, COMMAND_COUNT);
    out_problem("no command \"%s\"%s%s%s; see mandatectl --help", asked, nearest ? "; did you mean \"" : "",
                nearest ? nearest : "", nearest ? "\"?" : "");
    return CLI_REFUSED;
}

static bool asks_for_help(const char *text)
{
    return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0 || strcmp(text, "help") == 0;
}

static const command *find(const char *group, const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(group, commands[i].group) == 0 && strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    zone_files_install();
    out_init();
    if (argc < 2) {
        guide_help(stderr, commands, COMMAND_COUNT);
        return CLI_REFUSED;
    }
    if (asks_for_help(argv[1])) {
        guide_help(stdout, commands, COMMAND_COUNT);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("mandatectl %s\n", mandate_version());
        return CLI_OK;
    }
    if (strcmp(argv[1], "--man") == 0)
        return print_made(guide_man);
    if (strcmp(argv[1], "--completion") == 0)
        return completion(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "whoami") == 0)
        return find("policy", "whoami")->run(argc - 2, argv + 2);
    if (argc == 2 && guide_group(stderr, commands, COMMAND_COUNT, argv[1]))
        return CLI_REFUSED;
    if (argc == 3 && asks_for_help(argv[2]) && guide_group(stdout, commands, COMMAND_COUNT, argv[1]))
        return CLI_OK;
    const command *c = argc > 2 ? find(argv[1], argv[2]) : NULL;
    if (!c)
        return unknown(argv[1], argc > 2 ? argv[2] : NULL);
    for (int i = 3; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            guide_usage(stdout, c);
            return CLI_OK;
        }
    int code = c->run(argc - 3, argv + 3);
    if (fflush(stdout) != 0 && code == CLI_OK)
        code = CLI_INTERNAL;
    return code;
}
