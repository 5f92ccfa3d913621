/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_load - checks, or issuances, over HTTP as fast as a server answers, from one thread: epoll, keep-alive, one request in flight on each
 * connection (no pipelining). Runs in a process of its own (`mandate-bench load`), so that its work is not the server's; what it costs, and
 * how late it sends what is due, is told beside what it measures. On a core of its own (`cpu`) it need not sleep (`spin`): being woken takes
 * longer than an answer does, and would be measured with it.
 */
#ifndef MANDATE_BENCH_HTTP_LOAD_H
#define MANDATE_BENCH_HTTP_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Latencies in 1/16 steps of powers of two, in nanoseconds: at most 6 % too high. */
enum { LOAD_BUCKETS = 64 * 16, LOAD_PERCENTILES = 8 };
extern const double http_load_percentiles[LOAD_PERCENTILES];

typedef struct http_load {
    uint16_t port;
    uint32_t connections, mandates;
    double seconds, rate; /* rate 0: closed loop. Otherwise requests a second, each timed from when it was due */
    uint64_t seed, limit; /* limit: ends after so many answers; 0: by time alone */
    bool fixed;           /* ask for an answer that needs no thought (/healthz): what HTTP alone costs here */
    bool spin;            /* never sleeps */
    int cpu;              /* runs on this one only; -1: on any */
    bool issue;           /* issue mandates instead: m-00000000 + first and on, each once, at most `mandates` of them */
    uint32_t first;
    /* result */
    uint64_t requests, permitted, failed;
    double took_s, cpu_s; /* cpu_s: its own */
    uint64_t histogram[LOAD_BUCKETS];
    uint64_t sent,
        late[LOAD_BUCKETS]; /* open loop: from when a request was due to when it was sent, also for want of a connection */
} http_load;

/* False, with a line on stderr, when it could not be run. */
bool http_load_run(http_load *l);
uint64_t http_load_percentile_ns(const http_load *l, double percent);
uint64_t http_load_late_ns(const http_load *l, double percent);

#endif
