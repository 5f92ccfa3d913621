/* SPDX-License-Identifier: Apache-2.0 */
/* mandate-bench - a table of commands; each prints JSON lines on stdout and words for people on stderr. */
#include "bench/command.h"

#include "engine/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} commands[] = {
    {"engine", cmd_engine, "the engine core against the same conditions evaluated anew and a C loop by hand"},
    {"cel", cmd_cel, "the condition language: evaluation, compilation, bytes of a program, the price of a unit of cost"},
    {"decode", cmd_decode, "a record from bytes to changes, beside Avro C and jansson on the same bytes"},
    {"replay", cmd_replay, "any workload from a file of JSON lines; docs/replay.md has the format"},
    {"cases", cmd_cases, "thresholds, references, timers, a silent source, mandates that come and go"},
    {"check", cmd_check, "what a check costs, in process and over HTTP while events flow"},
    {"verify", cmd_verify, "verifying a signed mandate without calling anybody, beside nothing but its signature"},
    {"load", cmd_load, "the load generator of check, against any server's port"},
    {"peers", cmd_peers, "ours beside a loop by hand, naive evaluation, CLIPS and cel-go on the same workload"},
    {"e2e", cmd_e2e, "a real Kafka: the bare consumer, then the whole daemon on the same topic (--help)"},
    {"issue", cmd_issue, "mandates issued a second, durable before each answer, and still there after kill -9 (--help)"},
    {"produce", cmd_produce, "fills a Kafka topic with the workload's changes"},
    {"latency", cmd_latency, "open loop: from an acknowledged event to its revocation on the topic"},
    {"rows", cmd_rows, "encoded rows through the engine and into the journal: the record path without Kafka"},
    {"recover", cmd_recover, "how long a restart takes with very many mandates"},
    {"revoke-all", cmd_revoke_all, "one event that ends very many mandates, while other records keep coming"},
    {"publish", cmd_publish, "a real Kafka: what one event ended, published by the daemon and by a bare producer (--help)"},
    {"republish", cmd_republish, "publishes what a topic has on another one, with nothing but librdkafka"},
    {"consume", cmd_consume, "reads a topic with nothing but librdkafka: the rate to compare the daemon with"},
};

/* The value of the first line that begins with `key` in a file like /proc/cpuinfo. */
static void proc_value(char *out, size_t size, const char *path, const char *key)
{
    char line[512];
    FILE *f = fopen(path, "r");
    snprintf(out, size, "?");
    while (f && fgets(line, sizeof(line), f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, key, strlen(key)) != 0 || !colon)
            continue;
        colon++;
        colon += strspn(colon, " \t");
        colon[strcspn(colon, "\n")] = 0;
        snprintf(out, size, "%s", colon);
        break;
    }
    if (f)
        fclose(f);
}

void print_run(const char *what, int argc, char **argv)
{
    char cpu[256], memory[64], when[32];
    struct utsname os = {0};
    time_t now = time(NULL);
    struct tm utc;
    buf b;
    uname(&os);
    proc_value(cpu, sizeof(cpu), "/proc/cpuinfo", "model name");
    proc_value(memory, sizeof(memory), "/proc/meminfo", "MemTotal");
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    buf_init(&b);
    buf_printf(&b, "{\"record\":\"run\",\"benchmark\":\"%s\",\"when\":\"%s\",\"cpu\":", what, when);
    buf_put_json_string(&b, mandate_slice_str(cpu));
    double load = 0;
    if (getloadavg(&load, 1) != 1)
        load = -1;
    buf_printf(&b,
               ",\"load\":%.1f,\"cores\":%ld,\"memory\":\"%s\",\"os\":\"%s %s "
               "%s\",\"mandated\":\"%s\",\"compiler\":\"%s\",\"command\":",
               load, sysconf(_SC_NPROCESSORS_ONLN), memory, os.sysname, os.release, os.machine, mandate_version(),
               __VERSION__);
    buf line;
    buf_init(&line);
    buf_put_str(&line, "mandate-bench");
    for (int i = 0; i < argc; i++)
        buf_printf(&line, " %s", argv[i]);
    buf_put_json_string(&b, buf_slice(&line));
    buf_put_str(&b, "}");
    puts(buf_cstr(&b));
    buf_deinit(&line);
    buf_deinit(&b);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "mandate-bench measures mandated. Commands:\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        fprintf(stderr, "  %-8s %s\n", commands[i].name, commands[i].text);
    return 2;
}
