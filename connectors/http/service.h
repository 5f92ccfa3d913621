/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - what the HTTP server asks of the process it serves: a port, implemented by the daemon.
 *
 * Two ways in:
 *  - requests that change state or need the engine's state go to the engine's thread and are answered when that state is durable
 *    (service_submit, asynchronous: `done` is called on the engine's or the teller's thread and must only hand over);
 *  - checks are answered at once, on the caller's thread, from a concurrent view that is never older than its last
 *    commit and never says yes when it cannot prove it (service_check).
 */
#ifndef MANDATE_CONNECTORS_HTTP_SERVICE_H
#define MANDATE_CONNECTORS_HTTP_SERVICE_H

#include "connectors/policy/policy.h"
#include "engine/step.h"

typedef enum service_kind {
    SERVICE_ISSUE,    /* claims */
    SERVICE_DELEGATE, /* mandate: the parent; claims: of the child, those of `given` */
    SERVICE_AMEND,    /* mandate; claims: what changes, those of `given`; widen, cascade */
    SERVICE_REVOKE,   /* mandate, note, if_version; as those that follow */
    SERVICE_SUSPEND,  /* until_us too */
    SERVICE_RESUME,
    SERVICE_RETURN,
    SERVICE_SPEND,   /* mandate, budget, amount, key */
    SERVICE_UNSPEND, /* mandate, key */
    SERVICE_WATCH,   /* mandate: the watch's id; condition */
    SERVICE_UNWATCH, /* mandate: the watch's id */
    /* event, detail (JSON object), mandate and principal or none: an entry of the audit log, answered once it is on disk with
     * {"leaf": its number}. What was decided outside the engine (a synchronous check, an escalation, a policy that was
     * loaded) is told nobody before it is in there. */
    SERVICE_LOG,
    SERVICE_ASK,    /* question: a human is asked about an action (engine/mandate/decision.h) */
    SERVICE_DECIDE, /* mandate: the decision's id; permit, note */
    SERVICE_ASSERT, /* type, id, attributes, note: what a person says happened; journaled as a change and an audit entry */
    SERVICE_COMMAND_LAST = SERVICE_ASSERT,
    SERVICE_GET,        /* mandate: claims, state, version, the last transition with its evidence, children count */
    SERVICE_LIST,       /* state (or STATE_NONE for all), agent (or empty), parent (or empty), limit, after */
    SERVICE_EXPLAIN,    /* mandate */
    SERVICE_TOKEN,      /* mandate: the signed chain, from the root to it; audience: for whose eyes, or empty: the asker's */
    SERVICE_HANDLE,     /* id: what a handle stands for; sets mandate */
    SERVICE_ENTITY,     /* type, id */
    SERVICE_WATCH_GET,  /* mandate: the watch's id */
    SERVICE_WATCH_LIST, /* limit, after */
    SERVICE_DECISION_GET,  /* mandate: the decision's id */
    SERVICE_DECISION_LIST, /* decision_state (DECISION_STATE_COUNT: all), limit, after; oldest first */
    SERVICE_AWAIT,         /* at_least: answered when all of them are reached, UNAVAILABLE when that takes too long */
    SERVICE_AUDIT,         /* audit: of the record; not on the engine's thread */
    SERVICE_BACKUP,        /* id: the name of a copy of everything, to be made; not on the engine's thread */
    SERVICE_BACKTEST,      /* backtest: mandates that were not issued, on history; on a thread of its own */
    SERVICE_STATUS_LIST    /* list: how its mandates stand, a signed token; on a thread of its own */
} service_kind;

/* For how many seconds a status list may be kept by who asked for it. */
enum { SERVICE_STATUS_TTL_S = 5 };

/* What is asked of the audit log. */
typedef enum service_audit_what {
    SERVICE_AUDIT_TILE,        /* path: "tile/0/000.p/5", c2sp.org/tlog-tiles; the body is its bytes */
    SERVICE_AUDIT_INCLUSION,   /* index, size */
    SERVICE_AUDIT_CONSISTENCY, /* first, size */
    SERVICE_AUDIT_ENTRIES      /* from (a number, or a time), limit; mandate, txn, event or none */
} service_audit_what;

typedef struct service_audit {
    service_audit_what what;
    mandate_slice path, from, txn, event;
    uint64_t index, first;
    uint64_t size; /* UINT64_MAX: that of the last checkpoint */
} service_audit;
/* Something that a check can be asked not to be older than: a step, or a record of a topic partition that was taken in. */
typedef struct service_position {
    mandate_slice topic; /* empty: `seq` */
    int32_t partition;
    int64_t offset;
    uint64_t seq;
} service_position;

/* What a check of an action takes, by risk and reversibility. */
#define CHECK_MODE_MAP(X)                                                                                    \
    X(PLAIN, "plain")             /* no rule names the action: at once, no older than check.max_staleness */ \
    X(SYNCHRONOUS, "synchronous") /* fresh, sources included, and recorded */                                \
    X(FEED, "feed")               /* at once; says until when it can be relied on, given live heartbeats */
typedef enum check_mode {
#define X(upper, name) CHECK_##upper,
    CHECK_MODE_MAP(X)
#undef X
        CHECK_MODES
} check_mode;
#define REVERSIBILITY_MAP(X)                      \
    X(READ_ONLY, "read_only")                     \
    X(REVERSIBLE_WRITE, "reversible_write")       \
    X(IRREVERSIBLE_ACTION, "irreversible_action") \
    X(EXTERNAL_COMMITMENT, "external_commitment") \
    X(PRIVILEGED_ADMINISTRATION, "privileged_administration")
typedef enum reversibility {
#define X(upper, name) REVERSIBILITY_##upper,
    REVERSIBILITY_MAP(X)
#undef X
        REVERSIBILITIES
} reversibility;
extern const char *const check_mode_names[CHECK_MODES], *const reversibility_names[REVERSIBILITIES];

typedef struct service_check_kind {
    check_mode mode;
    reversibility reversibility;
    int64_t max_staleness_us;
    bool once;        /* the same idempotency key permits it once */
    int64_t track_us; /* 0, or how long a permit is listed as work in flight */
} service_check_kind;

/* How fresh the sources are that the mandates depend on. */
typedef struct service_freshness {
    int64_t max_us; /* in: the bound */
    bool ok;        /* out; else `why` */
    char why[200];
} service_freshness;

/* Issued at `from`, looked at until `to` (empty: now); times as texts. */
typedef struct service_backtest {
    const claims *mandates;
    uint32_t count;
    mandate_slice from, to;
} service_backtest;

typedef struct service_request service_request;
struct service_request {
    service_kind kind;
    power power;                 /* what it takes; of the route, set by http_submit */
    const policy_principal *who; /* asks; set by http_submit, in the submitter's memory */
    mandate_slice mandate, principal, note, condition;
    mandate_slice event, detail; /* LOG */
    service_audit audit;         /* AUDIT */
    service_backtest backtest;   /* BACKTEST */
    uint32_t list;               /* STATUS_LIST: its number */
    const claims *claims;
    int64_t until_us;    /* see engine_command */
    uint32_t if_version; /* the same */
    bool widen, cascade; /* the same */
    mandate_slice budget, key;
    budget_amount amount;
    mandate_state state;
    mandate_slice agent, parent, type, id, after, audience;
    disclosure_viewer viewer; /* EXPLAIN of the past: whose eyes; set on the engine's thread */
    cel_value attributes;     /* ASSERT: a map */
    mandate_slice as_of; /* ENTITY, EXPLAIN: a step or a time, empty for now; answered on another thread than the engine's */
    uint32_t limit;
    const service_position *at_least; /* AWAIT */
    uint32_t at_least_count;
    int64_t await_until_us;          /* the engine thread's: when AWAIT is given up, monotonic */
    const decision_record *question; /* ASK */
    decision_state decision_state;   /* DECISION_LIST */
    bool permit;                     /* DECIDE */
    int64_t lasts_us;                /* ASK, DECIDE; 0: as configured */
    /* A command that policy gives to two persons: it becomes a decision (of kind command), which another principal may
     * permit, and is carried out then. `second_person_why` says which rule asks for it. Answered 202. */
    bool second_person;
    mandate_slice second_person_why; /* stands in the text below */
    char second_person_text[256];
    engine_command waiting;              /* the engine thread's: the command while it is handed over */
    const char *on_record;               /* the engine thread's: of a permit, one word why who asked may not any more */
    void (*done)(service_request *self); /* on a thread of the service, exactly once per accepted submit */
    void *ctx;                           /* the submitter's */
    service_request *next;               /* the queue's */
    void *unfinished;                    /* the service's: what is still to be done about the answer; NULL: nothing */
    /* answer */
    mandate_error error;            /* status OK: body holds the resource as JSON */
    bool repeated;                  /* ISSUE, WATCH, ASK, DECIDE answered as the first time */
    uint64_t position;              /* of a command: the step that it was carried out in */
    char decision[DECISION_ID + 1]; /* ASK, or a command that waits: the decision's id, or "" */
    buf body;                       /* initialised and freed by the submitter */
};

/* Gives somebody authority that was not there before: refused when the audit log cannot be kept. */
static inline bool service_grants(const service_request *r)
{
    switch (r->kind) {
    case SERVICE_REVOKE:
    case SERVICE_SUSPEND:
    case SERVICE_RETURN:
    case SERVICE_WATCH:
    case SERVICE_UNWATCH:
    case SERVICE_LOG:
    case SERVICE_ASK:
        return false;
    case SERVICE_DECIDE:
        return r->permit;
    default: /* also a command that is added later, until it is listed above */
        return r->kind <= SERVICE_COMMAND_LAST || r->kind == SERVICE_TOKEN;
    }
}

/* AuthZEN 1.0 evaluation. Without a mandate named, all that are active, held by the agent and cover action and resource
 * govern: each of them must permit. */
/* Of a contradiction: what those that govern require of the resource and the context, as it was asked, so that a human's word is about
 * exactly that: {"resource.region": "eu", "context.channel": null (it was not said)}; null when they require nothing of them. */
typedef struct service_required {
    arena *a; /* in: for it */
    cel_value asked;
} service_required;

typedef struct service_check {
    mandate_slice mandate;                  /* empty: to be found */
    mandate_slice subject_type, subject_id; /* id must be the mandate's agent */
    mandate_slice action;                   /* action.name */
    mandate_slice resource;                 /* "type/id" */
    cel_value params;                       /* what is asked for, a map or null */
    cel_value properties, context;          /* of the resource, of the question: the same */
    int64_t staleness_max_us;               /* of its kind, if stricter than the configured one; 0: that one */
    const mandate_slice *mandates;          /* instead of one: named together, all of them govern; each once */
    uint32_t mandate_count;                 /* at most LIMIT_FOUND_MANDATES */
    source_set *rests_on;       /* or NULL; gets whose word those that govern rest on, their ancestors included */
    service_required *required; /* or NULL */
    bool *rests_restricted;     /* with rests_on; gets whether a condition of one of them is restricted */
    bool name_all;              /* of a permit, too: all that govern, in verdict.mandates */
} service_check;

typedef struct service_verdict {
    bool decision;
    const char
        *reason;    /* token: "ok", "unknown_mandate", "mandate_inactive", "expired", "out_of_authority", "actor_invalid",
                            "stale_state", "parameter_violation", "no_mandate", "too_many_mandates", "quota_exceeded", "audit_unavailable", "clock_unsynchronised",
                            "approval_required" */
    char text[256]; /* a sentence */
    mandate_state state; /* effective; STATE_NONE for an unknown mandate */
    uint32_t version;
    char because[LIMIT_ID + 1];      /* id of the ancestor that decides, or "" */
    int64_t expires_at_us, as_of_us; /* time of the last commit the answer rests on */
    uint64_t seq;
    int64_t age_us;           /* of the commit, when it was asked */
    uint32_t looked;          /* work: mandates and ancestors looked at */
    uint32_t governing;       /* how many govern; 0 when one was named */
    char found[LIMIT_ID + 1]; /* of them the one that refuses, else the one that expires first, or "" */
    bool conflict;            /* their scopes do not intersect here: "approval_required", a human may decide */
    mandate_slice
        mandates[LIMIT_FOUND_MANDATES]; /* then, or when `name_all` was asked for: which, in order of ids; they outlive the
                                                     request */
} service_verdict;

/* AuthZEN search. What is looked for is empty in `check`. */
typedef enum service_search_kind { SEARCH_SUBJECT, SEARCH_RESOURCE, SEARCH_ACTION } service_search_kind;
typedef struct service_search {
    service_search_kind kind;
    service_check check;
    mandate_slice type;   /* RESOURCE: of the resources */
    uint32_t limit;       /* results */
    mandate_slice after;  /* `next` of the page before, or empty */
    uint32_t after_index; /* likewise */
} service_search;
typedef struct service_found {
    mandate_slice *items; /* agents, ids of resources, or actions; one that ends in "*" is a pattern */
    uint32_t count;
    mandate_slice next; /* for the next page; both empty: this was the last one */
    uint32_t next_index;
} service_found;

/* What a human said to one question, or that it is open. */
typedef struct service_decision {
    char id[DECISION_ID + 1];
    decision_state state;
    int64_t expires_at_us;
} service_decision;

/* May `who` do it? What is not said may yet be said: of a revocation without a mandate, is there any that it may revoke? */
typedef struct service_access {
    const policy_principal *who;
    power power;
    mandate_slice mandate;      /* or empty */
    const claims *claims;       /* ISSUE, DELEGATE: what is asked for; or NULL */
    const service_check *check; /* CHECK; or NULL */
    const policy_event *event;  /* ASSERT_EVENT, READ_CONTEXT: of which entity; or NULL */
    mandate_slice connector;    /* OPERATE; or empty */
} service_access;

/* Who is there: in, what the listener knows of the connection; out, who that is by the policy. */
typedef struct service_login {
    policy_principal *who; /* kind, name and what belongs to the kind */
    arena *a;              /* for whatever `who` points to from now on */
    mandate_slice bearer;  /* token of the Authorization header, or empty */
    mandate_slice claimed; /* X-Mandate-Principal, or empty */
    bool wrong_bearer;     /* set when it was the token that was refused */
} service_login;

typedef struct service {
    void *ctx;
    /* NULL: there is no policy, and everybody may do everything. Else DENIED with a sentence, on the listener's thread and at
     * once. A request that names a mandate is judged again, by its claims and state, where it is carried out. */
    mandate_status (*authorise)(void *ctx, const service_access *in, mandate_error *err);
    /* NULL: there is no policy. DENIED with a sentence for a token or a name that is not believed. Listener's thread. */
    mandate_status (*login)(void *ctx, service_login *in, mandate_error *err);
    /* Time that never runs backwards, by which tokens, certificates and lists of revoked ones end. NULL: the wall clock. Any thread. */
    int64_t (*now_us)(void *ctx);
    /* Changes when the policy does: who logged in before has to do it again. */
    uint64_t (*generation)(void *ctx);
    /* Appends ,"policy":...,"roles":[...],"powers":{...}. NULL likewise. */
    void (*me)(void *ctx, const policy_principal *who, buf *out);
    /* False when the queue is full or the process is stopping: answer 503, retry later. */
    bool (*submit)(void *ctx, service_request *request);
    void (*check)(void *ctx, const service_check *in, service_verdict *out);
    /* At once; bounded work. Slices are in `a`. */
    mandate_status (*search)(void *ctx, const service_search *in, arena *a, service_found *out, mandate_error *err);
    /* Does a check asked now see this? False also when that is not known at once: SERVICE_AWAIT then. Any thread. */
    bool (*reached)(void *ctx, const service_position *position);
    /* Can a position be waited for at all? INVALID for a topic that no connector reads, or a partition that it does not have. NULL: not
     * asked. At once, any thread. */
    mandate_status (*locate)(void *ctx, const service_position *position, mandate_error *err);
    /* NULL: there are no rules. The first one that names the action. */
    void (*kind)(void *ctx, mandate_slice action, service_check_kind *out);
    /* Was this key (a hash) permitted once already, and is that still to count? `asked`: the hash of what for. NOT_FOUND: no. NULL: nobody
     * knows but this server. At once, any thread. A SERVICE_LOG with both hashes as `key` makes it so, until `until_us`. */
    mandate_status (*once)(void *ctx, const uint8_t key[32], uint8_t asked[32], mandate_error *err);
    /* Work begins on this permit: known to the engine before whatever ends the mandate later. False: it cannot be noted, so it is no
     * permit. Only with `kind`, and after a check with `name_all`. */
    bool (*track)(void *ctx, const service_check *in, const service_verdict *verdict, int64_t lasts_us, mandate_slice key);
    /* Of the sources that the mandates of a check depend on: `out` gets a JSON object. Only with `kind`. */
    void (*freshness)(void *ctx, const service_check *in, const service_verdict *verdict, service_freshness *out, buf *text);
    /* The decision of this key that has not lapsed, as of the last commit. False: none. At once, on any thread. */
    bool (*decision)(void *ctx, const uint8_t key[DECISION_KEY], service_decision *out);
    /* Health for /healthz, readiness for /readyz: true = 200; `out` gets a JSON object that says why not. */
    bool (*ready)(void *ctx, buf *out);
    /* Prometheus text format 0.0.4. */
    void (*metrics)(void *ctx, buf *out);
    /* {"connectors":[{"name","state","partitions":[{"topic","partition","offset","lag_records","lag_seconds"}]}]} */
    void (*connectors)(void *ctx, buf *out);
    /* What would be wrong with a mandate: {"findings":[...],"errors","warnings","notes"}. At once, on the caller's thread; what
     * it needs is in `a`. */
    mandate_status (*lint)(void *ctx, const claims *c, mandate_slice principal, arena *a, buf *out, mandate_error *err);
    /* The JWK Set that signed mandates verify with. */
    void (*jwks)(void *ctx, buf *out);
    /* The last signed checkpoint of the audit log (a C2SP note), and the verifier key that it is signed with. */
    void (*audit_checkpoint)(void *ctx, buf *out);
    void (*audit_key)(void *ctx, buf *out);
    /* Clears a connector's doubt (after a poison record under fail_closed, or a halt). NOT_FOUND for an unknown one. */
    mandate_status (*connector_clear)(void *ctx, mandate_slice name, mandate_error *err);
    /* Has it read records again, up to where it is: `from` is "beginning", an RFC 3339 time, or "topic/partition@offset".
     * Returns when it was asked for. NOT_FOUND: no such connector or partition; CONFLICT: not now. */
    mandate_status (*connector_replay)(void *ctx, mandate_slice name, mandate_slice from, mandate_error *err);
} service;

#endif
