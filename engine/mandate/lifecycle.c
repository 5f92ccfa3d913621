/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle - names, the table of legal transitions, and the transition id. */
#include "engine/mandate/lifecycle.h"

#include "engine/base/hash.h"

const char *const claims_clause_names[CLAUSE_COUNT + 1] = {"while", "until", "suspend_while", ""};
const char *const transition_cause_names[5] = {"event", "command", "clock", "cascade", "source"};

static const struct {
    const char *name;
    bool final;
} states[STATE_COUNT] = {
#define X(name, text, final, meaning) {text, final},
    MANDATE_STATE_MAP(X)
#undef X
};

const char *mandate_state_name(mandate_state state) { return (unsigned)state < STATE_COUNT ? states[state].name : "none"; }

mandate_state mandate_state_parse(mandate_slice name)
{
    for (int i = 0; i < STATE_COUNT; i++)
        if (mandate_slice_is(name, states[i].name))
            return (mandate_state)i;
    return STATE_NONE;
}

bool mandate_state_is_final(mandate_state state) { return (unsigned)state < STATE_COUNT && states[state].final; }

const char *mandate_reason_name(mandate_reason reason)
{
    static const char *const names[REASON_COUNT] = {
#define X(name, text) text,
        MANDATE_REASON_MAP(X)
#undef X
    };
    return (unsigned)reason < REASON_COUNT ? names[reason] : "none";
}

bool mandate_transition_legal(mandate_state from, mandate_state to)
{
    /* clang-format off */
    static const bool legal[STATE_COUNT + 1][STATE_COUNT] = {
        /*                active suspended completed revoked expired cascaded superseded */
        [STATE_ACTIVE]    = {0,     1,        1,        1,      1,      1,       1},
        [STATE_SUSPENDED] = {1,     0,        1,        1,      1,      1,       1},
        [STATE_NONE]      = {1,     1,        0,        0,      0,      0,       0},
    };
    /* clang-format on */
    return (unsigned)from <= STATE_NONE && (unsigned)to < STATE_COUNT && legal[from][to];
}

bool transition_id(uint8_t out[32], mandate_slice issuer, mandate_slice mandate, uint32_t version)
{
    static const char domain[] = "mandated transition"; /* with its NUL */
    buf b;
    buf_init(&b);
    buf_put(&b, domain, sizeof(domain));
    wire_put_bytes(&b, issuer);
    wire_put_bytes(&b, mandate);
    wire_put_u64(&b, version);
    bool ok = !b.failed && sha256(out, b.data, b.len);
    buf_deinit(&b);
    return ok;
}
