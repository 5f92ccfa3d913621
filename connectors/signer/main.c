/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate-signer - a process that holds the keys that mandates and checkpoints of the audit log are signed with, and nothing else: no
 * network, no database, no configuration. The daemon asks it over a Unix socket (`signing.signer`, `audit.signer`) and never sees
 * them.
 *
 *   mandate-signer [--key FILE] [--audit-key FILE] --socket PATH [--uid N]... [--rate N]
 */
#include "connectors/signer/serve.h"
#include "connectors/token/key_file.h"
#include "connectors/token/key_quick.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static _Atomic bool stopping;

static void stop(int signal_number)
{
    (void)signal_number;
    atomic_store(&stopping, true);
}

static int usage(const char *why)
{
    fprintf(stderr,
            "mandate-signer: %s\n"
            "usage: mandate-signer [--key FILE] [--audit-key FILE] --socket PATH [--uid N]... [--rate N]\n"
            "  --key FILE        key that signs mandates: PEM, readable by its owner only (mandatectl key new makes one)\n"
            "  --audit-key FILE  key that signs checkpoints of the audit log: another one, Ed25519\n"
            "  --socket PATH     where the daemon asks for signatures\n"
            "  --uid N           a user that may ask; default: our own\n"
            "  --rate N          messages signed in a second at most (%d)\n",
            why, SERVE_RATE);
    return 1;
}

static bool number(const char *text, uint32_t *out)
{
    char *end;
    errno = 0;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint32_t)v;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && v < UINT32_MAX;
}

/* Takes what stands behind an option. */
static const char *take(serve_options *o, const char *paths[SIGNER_PURPOSES], const char *name, const char *value)
{
    if (strcmp(name, "--key") == 0)
        paths[SIGNER_TOKENS] = value;
    else if (strcmp(name, "--audit-key") == 0)
        paths[SIGNER_LOG] = value;
    else if (strcmp(name, "--socket") == 0)
        o->path = value;
    else if (strcmp(name, "--uid") == 0)
        return o->uid_count < SERVE_UIDS && number(value, &o->uids[o->uid_count++]) ? NULL
                                                                                    : "--uid takes a number, a few times";
    else if (strcmp(name, "--rate") == 0)
        return number(value, &o->rate_max) && o->rate_max ? NULL : "--rate takes a number of 1 or more";
    else
        return "unknown option";
    return NULL;
}

/* No core dump, no debugger of another process of our user. */
static bool lock_up(void)
{
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0;
}

/* One key, one purpose; and a log is signed with Ed25519. */
static mandate_status read_keys(token_key *keys[SIGNER_PURPOSES], const char *const paths[SIGNER_PURPOSES],
                                mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    for (int p = 0; status == MANDATE_OK && p < SIGNER_PURPOSES; p++)
        if (paths[p])
            status = key_file_read(&keys[p], paths[p], err);
    if (status == MANDATE_OK && keys[SIGNER_TOKENS])
        status = token_key_quicken(keys[SIGNER_TOKENS], err);
    const token_key *tokens = keys[SIGNER_TOKENS], *log = keys[SIGNER_LOG];
    if (status == MANDATE_OK && log && token_key_alg(log) != TOKEN_EDDSA)
        status =
            mandate_error_set(err, MANDATE_INVALID, "%s: checkpoints are signed with an Ed25519 key, this one is for %s",
                              paths[SIGNER_LOG], token_alg_name(token_key_alg(log)));
    if (status == MANDATE_OK && log && tokens && mandate_slice_eq(token_key_kid(tokens), token_key_kid(log)))
        status = mandate_error_set(err, MANDATE_INVALID, "%s and %s are one key: the log signs with a key of its own",
                                   paths[SIGNER_TOKENS], paths[SIGNER_LOG]);
    return status;
}

int main(int argc, char **argv)
{
    serve_options o = {.stopping = &stopping};
    static const char *const what[SIGNER_PURPOSES] = {"mandates", "checkpoints"};
    const char *paths[SIGNER_PURPOSES] = {NULL};
    token_key *keys[SIGNER_PURPOSES] = {NULL};
    mandate_error err = {0};

    for (int i = 1; i < argc; i += 2) {
        const char *why = i + 1 < argc ? take(&o, paths, argv[i], argv[i + 1]) : "an option without its value";
        if (why)
            return usage(why);
    }
    if ((!paths[SIGNER_TOKENS] && !paths[SIGNER_LOG]) || !o.path)
        return usage("--socket and a key are needed");
    if (o.uid_count == 0)
        o.uids[o.uid_count++] = getuid();
    struct sigaction action = {.sa_handler = stop}; /* without SA_RESTART: poll ends */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!lock_up())
        fprintf(stderr, "mandate-signer: core dumps could not be turned off\n");
    mandate_status status = read_keys(keys, paths, &err);
    for (int p = 0; status == MANDATE_OK && p < SIGNER_PURPOSES; p++) {
        o.keys[p] = keys[p];
        if (keys[p])
            fprintf(stderr, "mandate-signer: signs %s with %s by key %.*s at %s\n", what[p],
                    token_alg_name(token_key_alg(keys[p])), MANDATE_SLICE_ARG(token_key_kid(keys[p])), o.path);
    }
    if (status == MANDATE_OK)
        status = serve_run(&o, NULL, &err);
    for (int p = 0; p < SIGNER_PURPOSES; p++)
        token_key_destroy(keys[p]);
    if (status != MANDATE_OK)
        fprintf(stderr, "mandate-signer: %s\n", err.text);
    return status == MANDATE_OK ? 0 : 1;
}
