/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_run - run until SIGTERM or SIGINT. Signals are blocked in every thread and taken here, so no handler runs
 * anywhere but the one that says why the process gives up; a second signal while stopping changes nothing, since stopping is bounded.
 */
#include "connectors/daemon/command.h"

#include "connectors/daemon/daemon.h"
#include "connectors/daemon/base/log.h"
#include "connectors/daemon/reload.h"
#include "engine/base/hash.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

static mandate_status seed_tables(mandate_error *err)
{
    uint64_t secret;

    if (getrandom(&secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "the system has no random numbers");
    hash_seed(secret);
    return MANDATE_OK;
}

/* What RocksDB's memtables and Kafka's queues give back is wanted again within the second: it stays in the process, instead of going to
 * the system and coming back as page faults. Big arrays still have mappings of their own. */
static void keep_memory(void)
{
    enum { MAPPED = 1 << 20, KEPT = 128 << 20, AHEAD = 64 << 20 };

    (void)mallopt(M_MMAP_THRESHOLD, MAPPED);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT);
    (void)mallopt(M_TOP_PAD, AHEAD);
}

/* This process holds the key that mandates are signed with: no core dump, and no debugger of another process of our user. */
static void hide_memory(void)
{
    const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        log_write(LOG_WARN, "daemon", "core dumps could not be turned off");
}

/* Libraries give up by abort() where they have no memory (C++, librdkafka), as our own assertions do: nothing may follow, and it
 * is told like any other end of that kind. Without allocation; once. */
static void gave_up(int signal)
{
    (void)signal;
    log_write_plain(LOG_ERROR, "daemon",
                    "out of memory, or an assertion failed (a line before this one may say which); stopping at once, "
                    "the next start recovers from what was committed");
    _exit(DAEMON_EXIT_STORAGE);
}

/* True: stop and start again, in place. */
static bool wait_for_signal(daemon_state *d, const sigset_t *signals)
{
    int signal = 0;

    for (;;) {
        while (sigwait(signals, &signal) != 0)
            ;
        if (signal != SIGHUP)
            break;
        if (daemon_reload(d) == RELOAD_RESTART)
            return true;
    }
    log_write(LOG_INFO, "daemon", "stopping on signal %d", signal);
    return false;
}

/* The same process with a new schema. Nothing that is open is handed on but standard input, output and error. */
static void restart_in_place(const char *path)
{
    char program[] = "mandated", option[] = "--config";
    char *argv[] = {program, option, strdup(path), NULL};

    if (argv[2] && close_range(3, ~0U, 0) == 0)
        execv("/proc/self/exe", argv);
    log_write(LOG_ERROR, "daemon", "cannot start again in place: %s; stopped", strerror(errno));
    _exit(DAEMON_EXIT_UNAVAILABLE);
}

int cmd_run(int argc, char **argv)
{
    daemon_state *d = calloc(1, sizeof(*d));
    mandate_error err = {0};
    mandate_status status;
    sigset_t signals;

    bool accept = argc == 2 && strcmp(argv[1], "--accept-older-database") == 0;
    if ((argc != 1 && !accept) || !d) {
        free(d);
        return command_usage("--config takes one file, and after it at most --accept-older-database");
    }
    d->accept_older = accept;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGABRT, gave_up);
    hide_memory();
    keep_memory();
    status = seed_tables(&err);
    if (status == MANDATE_OK)
        status = daemon_load(d, argv[0], &err);
    /* The address of a run that was killed must not be taken for this one's. */
    if (status == MANDATE_OK && d->config.kafka.embedded && d->config.kafka.embedded_port_file)
        unlink(d->config.kafka.embedded_port_file);
    if (status == MANDATE_OK)
        status = daemon_open(d, &err);
    if (status == MANDATE_OK)
        status = daemon_start(d, &err);
    bool again = status == MANDATE_OK && wait_for_signal(d, &signals);
    if (!daemon_stop(d) || status == MANDATE_OK) {
        /* Destroying Kafka clients can take longer than anyone waits for us; the database is what must be closed. */
        if (d->store)
            store_close(d->store);
        if (d->broker && d->config.kafka.embedded_port_file)
            unlink(d->config.kafka.embedded_port_file);
        if (again)
            restart_in_place(argv[0]);
        log_write(LOG_INFO, "daemon", "stopped");
        _exit(status == MANDATE_OK ? DAEMON_EXIT_OK : command_fail(&err));
    }
    int code = command_fail(&err);
    daemon_close(d);
    free(d);
    return code;
}
