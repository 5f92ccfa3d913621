/* SPDX-License-Identifier: Apache-2.0 */
/* http_load - see http_load.h; also the command `mandate-bench load` and its answer, one line of numbers. */
#include "bench/http_load.h"

#include "bench/arm.h"
#include "bench/command.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const double http_load_percentiles[LOAD_PERCENTILES] = {50, 75, 90, 95, 99, 99.9, 99.99, 100};

enum { REPLY_MAX = 4096, EVENTS = 256 };

static const char body[] =
    "{\"subject\":{\"type\":\"agent\",\"id\":\"agent:one\"},\"action\":{\"name\":\"contract.negotiate\","
    "\"properties\":{\"amount_eur\":1200}},\"resource\":{\"type\":\"crm.account\",\"id\":\"4711\"},"
    "\"context\":{\"mandate\":\"m-00000000\"}}";

/* Another condition a mandate, of one text, as a service would issue them. */
static const char mandate_body[] =
    "{\"id\":\"m-00000000\",\"grantor\":\"user:grantor\",\"agent\":\"agent:one\",\"purpose\":\"a benchmark\","
    "\"scope\":{\"actions\":[\"contract.*\"],\"resources\":[\"crm.account/4711\"],\"limits\":{\"amount_eur\":50000}},"
    "\"params\":{\"deal\":\"deal-00000000\"},\"while\":\"crm.deal[mandate.params.deal].status != \\\"lost\\\"\","
    "\"expires_at\":\"2100-01-01T00:00:00Z\"}";

typedef struct load_connection {
    int fd;
    char request[1024], reply[REPLY_MAX];
    size_t request_len, number_at, second_at, reply_len;
    int64_t since_ns;
    bool busy;
} load_connection;

typedef struct load_run {
    http_load *l;
    load_connection *connections;
    int epoll;
    uint64_t rng;
    int64_t start_ns, end_ns;
    uint64_t due; /* open loop: requests that were due so far and not sent */
    uint64_t sent;
} load_run;

static uint64_t next_random(load_run *r)
{
    r->rng ^= r->rng << 13;
    r->rng ^= r->rng >> 7;
    r->rng ^= r->rng << 17;
    return r->rng;
}

static uint32_t bucket_of(uint64_t ns)
{
    if (ns < 16)
        return (uint32_t)ns;
    uint32_t high = 63 - (uint32_t)__builtin_clzll(ns);
    return (high - 3) * 16 + (uint32_t)(ns >> (high - 4) & 15);
}

static uint64_t bucket_end(uint32_t b) { return b < 16 ? b : (UINT64_C(17) + b % 16) << (b / 16 - 1); }

static uint64_t percentile(const uint64_t *histogram, uint64_t count, double percent)
{
    uint64_t want = (uint64_t)((double)count * percent / 100), seen = 0;
    if (want >= count)
        want = count ? count - 1 : 0;
    for (uint32_t b = 0; b < LOAD_BUCKETS; b++)
        if ((seen += histogram[b]) > want)
            return bucket_end(b);
    return 0;
}

uint64_t http_load_percentile_ns(const http_load *l, double percent)
{
    return percentile(l->histogram, l->requests, percent);
}

uint64_t http_load_late_ns(const http_load *l, double percent) { return percentile(l->late, l->sent, percent); }

static bool connection_open(load_run *r, load_connection *c)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(r->l->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0 ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        fprintf(stderr, "connecting to port %u: %s\n", r->l->port, strerror(errno));
        return false;
    }
    const char *content = r->l->issue ? mandate_body : body;
    c->request_len =
        (size_t)snprintf(c->request, sizeof(c->request),
                         "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
                         "Content-Length: %zu\r\n\r\n%s",
                         r->l->issue ? "/v1/mandates" : "/access/v1/evaluation", r->l->port, strlen(content), content);
    if (r->l->fixed) {
        c->request_len = (size_t)snprintf(c->request, sizeof(c->request),
                                          "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", r->l->port);
        return true;
    }
    c->number_at = (size_t)(strstr(c->request, "m-00000000") - c->request) + 2;
    if (r->l->issue)
        c->second_at = (size_t)(strstr(c->request, "deal-00000000") - c->request) + 5;
    return true;
}

static void put_digits(char digits[8], uint64_t number)
{
    for (int i = 8; i-- > 0; number /= 10)
        digits[i] = (char)('0' + number % 10);
}

static bool send_next(load_run *r, load_connection *c, int64_t since_ns)
{
    if (!r->l->fixed) {
        char digits[8];
        put_digits(digits, r->l->issue ? r->l->first + r->sent : next_random(r) % r->l->mandates);
        memcpy(c->request + c->number_at, digits, 8);
        if (c->second_at)
            memcpy(c->request + c->second_at, digits, 8);
    }
    c->reply_len = 0;
    c->busy = true;
    c->since_ns = since_ns;
    r->sent++;
    return send(c->fd, c->request, c->request_len, MSG_NOSIGNAL) == (ssize_t)c->request_len;
}

/* The length of the whole reply once its headers are there; 0: not yet. */
static size_t reply_length(const load_connection *c)
{
    const char *end = memmem(c->reply, c->reply_len, "\r\n\r\n", 4), *length;
    if (!end || !(length = memmem(c->reply, (size_t)(end - c->reply), "Content-Length: ", 16)))
        return 0;
    return (size_t)(end - c->reply) + 4 + strtoul(length + 16, NULL, 10);
}

/* False: the connection is of no use any more. */
static bool take(load_run *r, load_connection *c, int64_t *now)
{
    ssize_t n = recv(c->fd, c->reply + c->reply_len, sizeof(c->reply) - 1 - c->reply_len, 0);
    if (n <= 0)
        return false;
    c->reply_len += (size_t)n;
    c->reply[c->reply_len] = 0;
    size_t whole = reply_length(c);
    if (whole == 0 || c->reply_len < whole)
        return c->reply_len < sizeof(c->reply) - 1;
    *now = wall_ns();
    r->l->requests++;
    r->l->histogram[bucket_of((uint64_t)(*now - c->since_ns))]++;
    r->l->permitted += strstr(c->reply, "\"decision\":true") != NULL;
    r->l->failed += strncmp(c->reply, r->l->issue ? "HTTP/1.1 201" : "HTTP/1.1 200", 12) != 0;
    c->busy = false;
    return true;
}

/* Open loop: sends what has become due, as far as there are idle connections; the rest waits, and its wait counts. */
static bool send_due(load_run *r)
{
    int64_t now = wall_ns();
    http_load *l = r->l;
    double interval = 1e9 / r->l->rate;
    for (uint32_t i = 0; i < r->l->connections; i++) {
        int64_t due = r->start_ns + (int64_t)((double)r->sent * interval);
        if (due > now || due >= r->end_ns)
            return true;
        if (r->connections[i].busy)
            continue;
        l->late[bucket_of((uint64_t)(now - due))]++;
        l->sent++;
        if (!send_next(r, &r->connections[i], due))
            return false;
    }
    return true;
}

/* Until something arrives, or the next request is due. */
static int wait_events(load_run *r, struct epoll_event *events)
{
    struct timespec until = {0, r->l->spin ? 0 : 100000000};
    if (r->l->rate > 0 && !r->l->spin) {
        int64_t due = r->start_ns + (int64_t)((double)r->sent * (1e9 / r->l->rate)) - wall_ns();
        until.tv_nsec = due < 0 ? 0 : due < until.tv_nsec ? due : until.tv_nsec;
        for (uint32_t i = 0; due < 0 && i < r->l->connections; i++)
            if (!r->connections[i].busy)
                break;
            else if (i + 1 == r->l->connections)
                until.tv_nsec = 100000000; /* none to send it on: only an answer helps */
    }
    return epoll_pwait2(r->epoll, events, EVENTS, &until, NULL);
}

static bool all_issued(const load_run *r) { return r->l->issue && r->l->requests >= r->l->mandates; }

static bool loop(load_run *r)
{
    struct epoll_event events[EVENTS];
    bool open = r->l->rate > 0, ok = true;
    int64_t now = wall_ns();
    for (uint32_t i = 0; !open && i < r->l->connections; i++)
        ok = ok && send_next(r, &r->connections[i], now);
    while (ok && (now = wall_ns()) < r->end_ns && !all_issued(r) && (!r->l->limit || r->l->requests < r->l->limit)) {
        ok = !open || send_due(r);
        int n = wait_events(r, events);
        for (int i = 0; ok && i < n; i++) {
            load_connection *c = events[i].data.ptr;
            ok = take(r, c, &now);
            if (ok && !c->busy && !open && !(r->l->issue && r->sent >= r->l->mandates))
                ok = send_next(r, c, now);
        }
    }
    if (!ok)
        fprintf(stderr, "a connection ended early: %s\n", strerror(errno));
    return ok;
}

static bool keep_to(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

bool http_load_run(http_load *l)
{
    load_run r = {.l = l, .rng = l->seed * 2654435761u + 88172645463325252u, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    r.connections = calloc(l->connections, sizeof(*r.connections));
    bool ok = r.connections && r.epoll >= 0 && (l->cpu < 0 || keep_to(l->cpu));
    for (uint32_t i = 0; ok && i < l->connections; i++)
        ok = connection_open(&r, &r.connections[i]);
    r.start_ns = wall_ns();
    r.end_ns = r.start_ns + (int64_t)(l->seconds * 1e9);
    ok = ok && loop(&r);
    l->took_s = (double)(wall_ns() - r.start_ns) / 1e9;
    l->cpu_s = (double)cpu_ns() / 1e9;
    for (uint32_t i = 0; r.connections && i < l->connections; i++)
        if (r.connections[i].fd > 0)
            close(r.connections[i].fd);
    if (r.epoll >= 0)
        close(r.epoll);
    free(r.connections);
    return ok;
}

/* requests permitted failed seconds, then LOAD_PERCENTILES latencies in nanoseconds; then its own: 50 % and 99 % of lateness, CPU seconds. */
static void print_result(const http_load *l)
{
    printf("%llu %llu %llu %.6f", (unsigned long long)l->requests, (unsigned long long)l->permitted,
           (unsigned long long)l->failed, l->took_s);
    for (int i = 0; i < LOAD_PERCENTILES; i++)
        printf(" %llu", (unsigned long long)http_load_percentile_ns(l, http_load_percentiles[i]));
    printf(" %llu %llu %.6f\n", (unsigned long long)http_load_late_ns(l, 50), (unsigned long long)http_load_late_ns(l, 99),
           l->cpu_s);
}

int cmd_load(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", 1, NULL, 'p'},  {"connections", 1, NULL, 'c'}, {"mandates", 1, NULL, 'm'}, {"seconds", 1, NULL, 's'},
        {"rate", 1, NULL, 'r'},  {"seed", 1, NULL, 'x'},        {"fixed", 0, NULL, 'f'},    {"issue", 0, NULL, 'i'},
        {"first", 1, NULL, 'n'}, {"requests", 1, NULL, 'l'},    {"spin", 0, NULL, 'w'},     {"cpu", 1, NULL, 'u'},
        {NULL, 0, NULL, 0}};
    http_load *l = calloc(1, sizeof(*l));
    int c;
    if (!l)
        return 1;
    *l = (http_load){.connections = 16, .mandates = 1, .seconds = 2, .seed = 1, .cpu = -1};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (c) {
        case 'p':
            l->port = (uint16_t)strtoul(optarg, NULL, 10);
            break;
        case 'c':
            l->connections = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'm':
            l->mandates = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 's':
            l->seconds = strtod(optarg, NULL);
            break;
        case 'r':
            l->rate = strtod(optarg, NULL);
            break;
        case 'f':
            l->fixed = true;
            break;
        case 'n':
            l->first = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'i':
            l->issue = true;
            break;
        case 'w':
            l->spin = true;
            break;
        case 'u':
            l->cpu = (int)strtol(optarg, NULL, 10);
            break;
        case 'l':
            l->limit = strtoul(optarg, NULL, 10);
            break;
        case 'x':
            l->seed = strtoul(optarg, NULL, 10);
            break;
        default:
            free(l);
            return 2;
        }
    bool ok = l->port && l->connections && l->mandates >= (l->issue ? l->connections : 1) && http_load_run(l);
    if (ok)
        print_result(l);
    else
        fprintf(stderr, "load: --port, --connections and --mandates must be given\n");
    free(l);
    return ok ? 0 : 1;
}
