/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard - an enforcement point, whole: may this be done under that chain of signed mandates, now?
 *
 *     mandatectl topic tail --json --from-beginning | guard JWKS ISSUER AUDIENCE CHAIN ACTION RESOURCE [STATUS-LIST] [SAID]...
 *
 * Prints a line whenever the answer changes; the last answer is the exit code, 0 or 3. Signatures say that a mandate is
 * genuine and permits the act; only the revocation topic says that it has not ended. So the answer is yes only when
 *  - the chain verifies and permits the act,
 *  - the topic has said of every mandate of the chain that it is active, at claims no younger than those of our token,
 *  - the partition that said so has been complete within the last SILENCE_S seconds, by its heartbeats, and
 *  - the status list in the file STATUS-LIST, where one is given and which somebody fetches anew, says that it is valid.
 * SAID is what is known of the act, as JSON: properties={"amount_eur":9}, resource_properties={"region":"eu"}, context={}. What a mandate
 * limits, or requires a value of, and is not said, is a no.
 * Whatever else is the case (not heard of, not readable, silent), the answer is no.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <mandate/verify.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SILENCE_S = 15, CHAIN_MAX = 64, PARTITIONS_MAX = 4096, LINE_MAX_BYTES = 8 << 20 };

/* What the topic said last of each mandate of our chain, and until when each partition is complete. */
typedef struct feed {
    const char *issuer;
    const mandate_verified *chain;
    const mandate_verifier *verifier;
    const char *list; /* file, or NULL */
    mandate_asked asked;
    struct {
        int64_t version, claims; /* `claims`: the version of the claims */
        int partition;
        bool active;
    } said[CHAIN_MAX];
    time_t complete[PARTITIONS_MAX];
    bool broken;
} feed;

static int usage(const char *text)
{
    fprintf(stderr,
            "guard: %s\nusage: guard JWKS ISSUER AUDIENCE CHAIN ACTION RESOURCE [STATUS-LIST] < records of the topic as "
            "JSON lines\n",
            text);
    return 1;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t cap = 0;
    if (!f || getdelim(&text, &cap, '\0', f) < 0) {
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool is(const json_t *object, const char *name, mandate_slice text)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value && strlen(value) == text.len && memcmp(value, text.ptr, text.len) == 0;
}

/* One record. False: it is none that we can read, and what it would have said we do not know. */
static bool take(feed *f, const char *line, size_t len)
{
    json_t *record = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL), *value = json_object_get(record, "value");
    const json_t *mark = json_object_get(value, "watermark"), *version = json_object_get(value, "version");
    json_int_t partition = json_integer_value(json_object_get(record, "partition"));
    bool good = json_is_object(value) && json_is_integer(json_object_get(record, "partition")) && partition >= 0 &&
                partition < PARTITIONS_MAX;

    if (good && is(value, "issuer", mandate_slice_str(f->issuer))) {
        const char *until = json_string_value(json_object_get(mark, "complete_up_to"));
        struct tm tm = {0};
        if (mark) {
            good = until && strptime(until, "%Y-%m-%dT%H:%M:%S", &tm);
            if (good)
                f->complete[partition] = timegm(&tm);
        } else {
            good = json_is_integer(version) && json_is_integer(json_object_get(value, "claims_version")) &&
                   json_is_string(json_object_get(value, "mandate"));
        }
        for (size_t i = 0; good && !mark && i < mandate_verified_depth(f->chain); i++)
            if (is(value, "mandate", mandate_verified_chain_id(f->chain, i)) &&
                json_integer_value(version) > f->said[i].version) {
                f->said[i].version = json_integer_value(version);
                f->said[i].claims = json_integer_value(json_object_get(value, "claims_version"));
                f->said[i].partition = (int)partition;
                f->said[i].active = is(value, "state", mandate_slice_str("active"));
            }
    }
    json_decref(record);
    return good;
}

/* NULL: by the list the last mandate of the chain is valid, and with it every ancestor. */
static const char *not_listed(const feed *f, char *room, size_t size)
{
    mandate_standing stands = MANDATE_STANDS_INVALID;
    mandate_error err;
    char *list = read_file(f->list);
    size_t len = list ? strcspn(list, "\n") : 0;
    const char *why = NULL;

    if (!list)
        why = "the status list cannot be read";
    else if (mandate_verified_standing(f->chain, f->verifier, mandate_verified_depth(f->chain) - 1,
                                       mandate_slice_of(list, len), now_us(), &stands, &err) != MANDATE_OK)
        why = (snprintf(room, size, "%s", err.text), room);
    else if (stands != MANDATE_STANDS_VALID)
        why = "by the status list the mandate, or an ancestor, has ended or is suspended";
    free(list);
    return why;
}

/* NULL: yes. Otherwise why not. */
static const char *refusal(const feed *f, char *room, size_t size)
{
    mandate_error err;
    time_t now = time(NULL);

    if (f->broken)
        return "the topic has a record that this program cannot read";
    if (mandate_verified_permits_asked(f->chain, &f->asked, now_us(), &err) != MANDATE_OK) {
        snprintf(room, size, "%s", err.text);
        return room;
    }
    for (size_t i = 0; i < mandate_verified_depth(f->chain); i++) {
        mandate_slice id = mandate_verified_chain_id(f->chain, i);
        const char *why = f->said[i].version == 0                                     ? "has not been heard of"
                          : !f->said[i].active                                        ? "is not active"
                          : f->said[i].claims > mandate_verified_version(f->chain, i) ? "was amended: fetch its token again"
                          : f->complete[f->said[i].partition] + (time_t)SILENCE_S <= now ? "may have ended: no heartbeat"
                                                                                         : NULL;
        if (why) {
            snprintf(room, size, "mandate %.*s %s", (int)id.len, id.ptr, why);
            return room;
        }
    }
    return f->list ? not_listed(f, room, size) : NULL;
}

static int follow(feed *f)
{
    static char line[LINE_MAX_BYTES];
    size_t len = 0;
    char before[600] = "?", room[600];
    struct pollfd in = {STDIN_FILENO, POLLIN, 0};

    for (bool open = true;;) {
        int ready = poll(&in, 1, 200);
        if (ready > 0) {
            ssize_t n = read(STDIN_FILENO, line + len, sizeof(line) - len);
            open = n > 0 || (n < 0 && errno == EINTR);
            len += n > 0 ? (size_t)n : 0;
            char *from = line, *end;
            while ((end = memchr(from, '\n', len - (size_t)(from - line))) != NULL) {
                f->broken = !take(f, from, (size_t)(end - from)) || f->broken;
                from = end + 1;
            }
            len -= (size_t)(from - line);
            memmove(line, from, len);
            f->broken = f->broken || len == sizeof(line) || (!open && len);
        }
        if (ready > 0 && open && poll(&in, 1, 0) > 0)
            continue; /* there is more: what was true in between is past */
        const char *why = refusal(f, room, sizeof(room));
        const char *now = why ? why : "";
        if (strcmp(now, before) != 0) {
            printf(why ? "denied: %s\n" : "permitted\n", now);
            fflush(stdout);
            snprintf(before, sizeof(before), "%s", now);
        }
        if (!open)
            return why ? 3 : 0;
    }
}

/* True: it was one of these. */
static bool take_said(mandate_asked *asked, const char *arg)
{
    const struct {
        const char *name;
        mandate_slice *to;
    } said[] = {{"properties=", &asked->properties},
                {"resource_properties=", &asked->resource_properties},
                {"context=", &asked->context}};

    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
        if (strncmp(arg, said[i].name, strlen(said[i].name)) == 0) {
            *said[i].to = mandate_slice_str(arg + strlen(said[i].name));
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    mandate_slice tokens[CHAIN_MAX];
    mandate_verifier *v = NULL;
    mandate_verified *chain = NULL;
    mandate_error err = {0};
    size_t count = 0;
    int code = 3;

    if (argc < 7)
        return usage("it takes six arguments, or more");
    char *jwks = read_file(argv[1]), *text = read_file(argv[4]), *rest = NULL;
    if (!jwks || !text)
        return usage("a file cannot be read");
    for (char *t = strtok_r(text, "\n", &rest); t; t = strtok_r(NULL, "\n", &rest)) {
        if (count == CHAIN_MAX)
            return usage("the chain is longer than this program takes");
        tokens[count++] = mandate_slice_str(t);
    }
    mandate_verify_options options = MANDATE_VERIFY_OPTIONS_INIT;
    options.audience = mandate_slice_str(argv[3]);
    options.now_us = now_us();
    if (mandate_verifier_create(&v, NULL, &err) == MANDATE_OK &&
        mandate_verifier_trust(v, mandate_slice_str(argv[2]), mandate_slice_str(jwks), &err) == MANDATE_OK &&
        mandate_verify(&chain, v, tokens, count, &options, &err) == MANDATE_OK) {
        static feed f;
        f.issuer = argv[2];
        f.chain = chain;
        f.verifier = v;
        f.asked = (mandate_asked)MANDATE_ASKED_INIT;
        f.asked.action = mandate_slice_str(argv[5]);
        f.asked.resource = mandate_slice_str(argv[6]);
        for (int i = 7; i < argc; i++)
            if (!take_said(&f.asked, argv[i]))
                f.list = argv[i];
        code = follow(&f);
    } else {
        printf("denied: %s\n", err.text);
    }
    mandate_verified_destroy(chain);
    mandate_verifier_destroy(v);
    free(jwks);
    free(text);
    return code;
}
