/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle - names, the table of legal transitions, and the transition id. */
#include "engine/mandate/lifecycle.h"

#include "engine/base/hash.h"

const char *const claims_clause_names[CLAUSE_COUNT + 1] = {"while", "until", "suspend_while", ""};
const char *const transition_cause_names[5] = {"event", "command", "clock", "cascade", "source"};

static const char *const states[STATE_COUNT] = {
#define X(name, text, final, meaning) text,
    MANDATE_STATE_MAP(X)
#undef X
};

const char *mandate_state_name(mandate_state state) { return (unsigned)state < STATE_COUNT ? states[state] : "none"; }

mandate_state mandate_state_parse(mandate_slice name)
{
    for (int i = 0; i < STATE_COUNT; i++)
        if (mandate_slice_is(name, states[i]))
            return (mandate_state)i;
    return STATE_NONE;
}

const char *mandate_reason_name(mandate_reason reason)
{
    static const char *const names[REASON_COUNT] = {
#define X(name, text) text,
        MANDATE_REASON_MAP(X)
#undef X
    };
    return (unsigned)reason < REASON_COUNT ? names[reason] : "none";
}

const char *mandate_who_name(mandate_who who)
{
    static const char *const names[WHO_COUNT] = {
#define X(name, text) text,
        MANDATE_WHO_MAP(X)
#undef X
    };
    return (unsigned)who < WHO_COUNT ? names[who] : "none";
}

enum { STATE_LIVE = STATE_NONE + 1 }; /* in the table alone */

bool mandate_transition_legal(mandate_state from, mandate_reason reason, mandate_state to, mandate_who *who)
{
    static const struct {
        uint8_t from, reason, to, who;
    } rows[] = {
#define X(from, reason, to, who) {STATE_##from, REASON_##reason, STATE_##to, WHO_##who},
        MANDATE_TRANSITION_MAP(X)
#undef X
    };
    const bool live = from == STATE_ACTIVE || from == STATE_SUSPENDED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (rows[i].reason != reason || !(rows[i].from == from || (rows[i].from == STATE_LIVE && live)) ||
            !(rows[i].to == to || (rows[i].to == STATE_LIVE && to == from)))
            continue;
        if (who)
            *who = (mandate_who)rows[i].who;
        return true;
    }
    return false;
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
