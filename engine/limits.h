/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits - every cap of the system in one place. Each is tested at the cap and one above.
 *
 * A cap exists because the number comes from outside. Raising one is a design change: the static
 * assertions at the end tie those that depend on each other.
 */
#ifndef MANDATE_ENGINE_LIMITS_H
#define MANDATE_ENGINE_LIMITS_H

enum {
    /* --- conditions --- */
    LIMIT_CEL_SOURCE = 4096,      /* bytes of one expression */
    LIMIT_CEL_NESTING = 32,       /* parser recursion; every later pass recurses at most as deep */
    LIMIT_CEL_NODES = 4096,       /* syntax nodes after macro expansion */
    LIMIT_CEL_LIST_LITERAL = 256, /* elements of a list or map literal */
    LIMIT_CEL_ARGS = 16,          /* arguments of one call */
    LIMIT_CEL_ERRORS = 8,         /* reported per compilation */
    LIMIT_CEL_ITERATIONS = 20000, /* comprehension steps of one evaluation */
    LIMIT_CEL_STACK = 1024,       /* values on the evaluation stack */
    /* Units one evaluation of a condition may cost (cel/cost.h), estimated when it is issued and enforced when it
     * runs: 1 ms. The worst measured price of a unit is below 4 ns (`mandate-bench cel`): 250,000 * 4 ns = 1 ms. */
    LIMIT_CEL_COST = 250000,
    LIMIT_CEL_MEMORY = 1 << 20, /* bytes one evaluation may allocate */
    LIMIT_CEL_REGEX = 512,      /* bytes of a pattern */
    LIMIT_VALUE_DEPTH = 64,     /* nesting of a list / map value */

    /* --- context graph --- */
    LIMIT_TYPES = 1024,         /* entity types */
    LIMIT_FIELDS = 512,         /* attributes + references + inverses of one type */
    LIMIT_NAME = 128,           /* bytes of a type, attribute, connector or topic name */
    LIMIT_ID = 512,             /* bytes of an entity or mandate id */
    LIMIT_VALUE = 64 << 10,     /* encoded bytes of one attribute value */
    LIMIT_SOURCES = 256,        /* connectors */
    LIMIT_SOURCE_SETS = 4096,   /* different sets of connectors that conditions rest on; what is more rests on all */
    LIMIT_SOURCES_KNOWN = 4096, /* connectors that a database has ever known, by name */
    LIMIT_TOPICS = 4096,        /* topics of all connectors together */

    /* --- mandates --- */
    LIMIT_CLAUSES = 3, /* while, until, suspend_while */
    LIMIT_DELEGATION_DEPTH = 1000,
    LIMIT_CHILDREN = 1 << 24,
    LIMIT_SPENDS = 128,          /* last spends of a mandate whose keys are known */
    LIMIT_SPEND_KEY = 64,        /* bytes of such a key */
    LIMIT_LEDGER_LINES = 512,    /* budgets that the spends of one mandate draw on, its ancestors' included */
    LIMIT_AMEND_CHILDREN = 4096, /* live children that an amendment looks at, in one command */
    LIMIT_SCOPE_ITEMS = 256,     /* actions, resources, limits each */
    LIMIT_REQUIRED = 32,         /* properties whose values one mandate requires */
    LIMIT_REQUIRED_VALUES = 32,  /* values that one of them may have */
    LIMIT_REQUIRED_TEXT = 256,   /* bytes of such a value that is text, and of the property's name */
    LIMIT_CLAIMS = 64 << 10,     /* encoded bytes of one mandate's claims */
    LIMIT_EVIDENCE_TERMS = 64,   /* terms carried by one transition */
    LIMIT_IN_FLIGHT = 16,        /* permits, spends, and decisions, that a mandate's end lists as in flight */
#ifdef MANDATE_TEST_PERMITS
    LIMIT_PERMITS = MANDATE_TEST_PERMITS,
#else
    LIMIT_PERMITS = 1 << 16, /* that are tracked, of all mandates */
#endif
    LIMIT_TRACK_HOURS = 24,        /* how long one is */
    LIMIT_PERMIT_BYTES = 16 << 20, /* of their texts */
    LIMIT_PERMITS_STEP = 1 << 20,  /* bytes of those of one step */
    LIMIT_REASON = 1024,           /* bytes of a human reason */
    LIMIT_DISCLOSURES = 64,        /* members, or parts of them, that one mandate restricts */
    LIMIT_DISCLOSURE_AUDIENCES = 32,

    /* --- the audit log --- */
    LIMIT_AUDIT_ENTRY = 65535,     /* bytes: entry bundles have lengths of 16 bits */
    LIMIT_AUDIT_EVENT = 32,        /* bytes of an entry's event */
    LIMIT_AUDIT_DETAIL = 48 << 10, /* bytes of the detail of an entry that a command makes */

    /* --- decisions of humans --- */
    LIMIT_DECISIONS = 4096,            /* known at once, decided and lapsed ones included */
    LIMIT_DECISIONS_ASKER = 64,        /* of one agent or principal that have not lapsed */
    LIMIT_DECISIONS_COMMANDS = 256,    /* commands that wait: each may hold LIMIT_CLAIMS */
    LIMIT_DECISION_MANDATES = 32,      /* that govern the action */
    LIMIT_DECISION_PARAMETERS = 8192,  /* bytes of the parameters that a human is shown */
    LIMIT_DECISION_VOUCHED = 32 << 10, /* bytes of what vouches for who asked that a command be carried out */
    LIMIT_DECISION_DAYS = 30,          /* how long a question may be open, and a permit hold */
    LIMIT_DECISION_KEEP_HOURS = 24,    /* how long one that has lapsed can still be read */

    /* --- a step --- */
    LIMIT_BATCH_INPUTS = 4096,        /* inputs of one step */
#ifdef MANDATE_TEST_BATCH_TRANSITIONS /* so small that a test sees slices */
    LIMIT_BATCH_TRANSITIONS = MANDATE_TEST_BATCH_TRANSITIONS,
#else
    /* What the event's own step does of a cascade, of expiries, and of what it did to many; the rest waits for the next steps. At
     * 12 us a transition with its commit that is 3 ms. */
    LIMIT_BATCH_TRANSITIONS = 256,
#endif
    /* The same of a step that goes on with what an earlier one began. An input that comes meanwhile waits for all of it, so it takes
     * less than a step of some hundred records. */
    LIMIT_SLICE = LIMIT_BATCH_TRANSITIONS >= 256 ? 4 : LIMIT_BATCH_TRANSITIONS,
    /* A step that goes on beside inputs records one for so many of them, and at least so many: about a tenth of what they take. */
    LIMIT_SLICE_PER_INPUTS = 256,
    LIMIT_SLICE_LEAST = LIMIT_BATCH_TRANSITIONS >= 256 ? 1 : LIMIT_BATCH_TRANSITIONS,
    LIMIT_BATCH_LOOKED = 1 << 14, /* waiting changes looked at by one step, most of which may turn out to be none */
    LIMIT_SLICE_LOOKED = 1 << 10, /* and by one that goes on */
#ifdef MANDATE_TEST_BACKLOG
    LIMIT_BACKLOG = MANDATE_TEST_BACKLOG,
#else
    /* Changes of state that wait for their record: 5 bytes of memory each. What comes on top makes a step record the oldest first. */
    LIMIT_BACKLOG = 1 << 24,
#endif
    LIMIT_BACKLOG_ITEMS = 1 << 12,   /* events that made them; each mandate waits at most once for each */
    LIMIT_BATCH_DEADLINES = 1 << 16, /* moments at which something is due, served by one step without inputs */

    /* --- records from Kafka --- */
    LIMIT_RECORD = 4 << 20,         /* bytes of one key or value */
    LIMIT_RECORD_DEPTH = 32,        /* nesting of JSON or Avro data */
    LIMIT_RECORD_ITEMS = 10000,     /* array items + map entries of one record */
    LIMIT_RECORD_CHANGES = 1024,    /* changes one record may map to */
    LIMIT_RECORD_MEMORY = 16 << 20, /* arena bytes one record may take */
    LIMIT_HEADERS = 128,
    LIMIT_AVRO_SCHEMA = 1 << 20, /* bytes of a schema text */

    /* --- signed mandates --- */
    LIMIT_TOKEN = 160 << 10, /* bytes of one compact JWS: claims at their limit, their JSON, base64url */
    LIMIT_TOKEN_CHAIN = LIMIT_DELEGATION_DEPTH + 1, /* mandates from the root to the leaf of one verification */
    LIMIT_TOKEN_CHAIN_BYTES = 16 << 20,
    LIMIT_TOKEN_DISCLOSURES = 128, /* beside one token */
    LIMIT_TOKEN_DIGESTS = 512,     /* in one token and all that it discloses */

    /* --- operators' files --- */
    LIMIT_CONFIG = 1 << 20,        /* bytes of one YAML file */
    LIMIT_CONFIG_DEPTH = 32,       /* nesting of its collections */
    LIMIT_CONFIG_NODES = 1 << 16,  /* scalars and collections in it */
    LIMIT_CONNECTOR_ENTITIES = 64, /* entities one connector maps to */

    /* --- who may do what --- */
    LIMIT_POLICY_ROLES = 64,  /* roles of one policy: a bit each */
    LIMIT_POLICY_RULES = 512, /* rules that permit or forbid; all conditions of one decision cost at most LIMIT_CEL_COST */
    LIMIT_POLICY_BINDINGS = 256, /* entries of `principals` */
    LIMIT_POLICY_ISSUERS = 16,   /* entries of `issuers` */
    LIMIT_POLICY_NAMES = 64,     /* patterns, audiences, clients, ... of one list */
    LIMIT_GROUPS = 256,          /* groups of one process that are looked at */

    /* --- HTTP --- */
    LIMIT_HTTP_HEADER = 8 << 10,
    LIMIT_HTTP_BODY = 64 << 10,
    LIMIT_HTTP_MEMORY = 256 << 20, /* of all requests in progress, beyond what every connection may have */
    LIMIT_EVALUATIONS = 256,       /* items of one AuthZEN request; each walks at most LIMIT_DELEGATION_DEPTH ancestors */
    LIMIT_CHECK_KINDS = 128,       /* rules of kinds of checks */
    LIMIT_ONCE_HOURS = 24,         /* how long a key that was permitted once is known, also after a restart */
    LIMIT_SEARCH = 100,            /* results of one page of an AuthZEN search */
    LIMIT_AT_LEAST = 8,            /* positions that a check can be asked not to be older than */
    LIMIT_AT_LEAST_WAIT_MS = 2000, /* for them to be reached */
    LIMIT_AWAITING = 1024,         /* requests that wait for a position */
    LIMIT_FOUND_MANDATES = 32,     /* live mandates of one agent that a check looks through when it names none */
    LIMIT_HTTP_DEADLINE_MS = 10000 /* absolute, for a whole request */
};

_Static_assert(LIMIT_RECORD_DEPTH <= LIMIT_VALUE_DEPTH, "a decoded record must be a legal value");
_Static_assert(LIMIT_SOURCES % 64 == 0, "a set of them is whole words");
_Static_assert(LIMIT_SOURCE_SETS < UINT16_MAX, "they are numbered by 16 bits, and one number is all");
_Static_assert(LIMIT_AUDIT_DETAIL + 8 * LIMIT_REASON <= LIMIT_AUDIT_ENTRY, "with everything that stands beside it");
_Static_assert(LIMIT_FOUND_MANDATES <= LIMIT_DECISION_MANDATES, "whatever governs an action, a decision can name");
_Static_assert(LIMIT_BACKLOG_ITEMS <= UINT16_MAX, "a mandate's waiting changes are counted in 16 bits");
_Static_assert(LIMIT_DISCLOSURES < LIMIT_TOKEN_DISCLOSURES, "whatever is restricted can be disclosed, and a salt with it");
_Static_assert(LIMIT_HTTP_BODY <= LIMIT_CLAIMS, "whatever a request can carry, a mandate can hold");

#endif
