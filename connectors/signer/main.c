/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate-signer - a process that holds the key that mandates are signed with, and nothing else: no network, no database, no
 * configuration. The daemon asks it over a Unix socket (`signing.signer`) and never sees the key.
 *
 *   mandate-signer --key FILE --socket PATH [--uid N]... [--rate N]
 */
#include "connectors/signer/serve.h"
#include "connectors/token/key_file.h"

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
            "usage: mandate-signer --key FILE --socket PATH [--uid N]... [--rate N]\n"
            "  --key FILE     private key, PEM, readable by its owner only (mandatectl key new makes one)\n"
            "  --socket PATH  where the daemon asks for signatures\n"
            "  --uid N        a user that may ask; default: our own\n"
            "  --rate N       messages signed in a second at most (%d)\n",
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
static const char *take(serve_options *o, const char **key, const char *name, const char *value)
{
    if (strcmp(name, "--key") == 0)
        *key = value;
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

int main(int argc, char **argv)
{
    serve_options o = {.stopping = &stopping};
    const char *path = NULL;
    token_key *key = NULL;
    mandate_error err = {0};

    for (int i = 1; i < argc; i += 2) {
        const char *why = i + 1 < argc ? take(&o, &path, argv[i], argv[i + 1]) : "an option without its value";
        if (why)
            return usage(why);
    }
    if (!path || !o.path)
        return usage("--key and --socket are needed");
    if (o.uid_count == 0)
        o.uids[o.uid_count++] = getuid();
    struct sigaction action = {.sa_handler = stop}; /* without SA_RESTART: poll ends */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!lock_up())
        fprintf(stderr, "mandate-signer: core dumps could not be turned off\n");
    mandate_status status = key_file_read(&key, path, &err);
    if (status == MANDATE_OK) {
        o.key = key;
        fprintf(stderr, "mandate-signer: signs with %s by key %.*s at %s\n", token_alg_name(token_key_alg(key)),
                MANDATE_SLICE_ARG(token_key_kid(key)), o.path);
        status = serve_run(&o, NULL, &err);
    }
    token_key_destroy(key);
    if (status != MANDATE_OK)
        fprintf(stderr, "mandate-signer: %s\n", err.text);
    return status == MANDATE_OK ? 0 : 1;
}
