/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issue - a new mandate: structure, duplicate, expiry, parent, conditions, in this order; then it exists.
 *
 * Every refusal is a sentence that says what to do, and leaves no trace. The same content issued again is answered as the
 * first time: `issued_at`, which we set, does not count as content.
 */
#include "engine/command_int.h"

#include "engine/base/text.h"

#include <assert.h>
#include <stdlib.h>

/* Encoding of the claims with issued_at left out, in `out`. */
static bool content(buf *out, const claims *c)
{
    claims timeless = *c;
    timeless.issued_at_us = 0;
    buf_reset(out);
    claims_encode(out, &timeless);
    return !out->failed;
}

/* Does a mandate of this id exist? Then the answer is settled (after check_parent, which fills in defaults). */
static bool is_repetition(issuance *is, bool *settled)
{
    engine *e = is->e;
    uint32_t handle = engine_mandate_find(e, is->claims.id);
    claims stored;
    buf mine, theirs;
    *settled = handle != UINT32_MAX;
    if (!*settled)
        return true;
    buf_init(&mine);
    buf_init(&theirs);
    bool ok = claims_of(e, handle, &e->memory, &stored) && content(&mine, &is->claims) && content(&theirs, &stored);
    if (ok && mandate_slice_eq(buf_slice(&mine), buf_slice(&theirs)))
        is->answer->repeated = true;
    else if (ok)
        mandate_error_set(&is->answer->error, MANDATE_CONFLICT,
                          "a mandate \"%.*s\" with other content exists already: choose another id",
                          MANDATE_SLICE_ARG(is->claims.id));
    buf_deinit(&mine);
    buf_deinit(&theirs);
    if (ok)
        answer_mandate(e, is->answer, handle);
    return ok || engine_fail(e, "out of memory while issuing");
}

mandate_status issuance_check_expiry(const issuance *is, mandate_error *err)
{
    char now[TIME_TEXT_MAX], at[TIME_TEXT_MAX];
    if (is->claims.expires_at_us > is->e->batch_now_us)
        return MANDATE_OK;
    size_t n = time_format_us(now, is->e->batch_now_us), m = time_format_us(at, is->claims.expires_at_us);
    return mandate_error_set(err, MANDATE_INVALID, "\"expires_at\" %.*s is in the past: it is %.*s now; give a time to come",
                             (int)m, at, (int)n, now);
}

static mandate_status check_children(const issuance *is, const claims *parent, mandate_error *err)
{
    uint32_t live = mandate_kin_of(is->e, is->parent)->live_children - (is->superseded != MANDATE_NONE);
    uint32_t max = parent->children_bounded ? parent->children_max : LIMIT_CHILDREN;
    if (live < max)
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_DENIED,
                             "wider than its parent in number of children: it would have %u live ones, while "
                             "delegation.max_children is %u; end one first",
                             live + 1, max);
}

static mandate_status check_parent(issuance *is, mandate_error *err)
{
    engine *e = is->e;
    claims parent;
    uint32_t because;
    is->parent = MANDATE_NONE;
    if (is->claims.parent.len == 0) {
        if (is->claims.depth_max == CLAIMS_DEPTH_UNSET)
            is->claims.depth_max = LIMIT_DELEGATION_DEPTH;
        return MANDATE_OK;
    }
    uint32_t handle = engine_mandate_find(e, is->claims.parent);
    if (handle == UINT32_MAX)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "its parent \"%.*s\" does not exist: issue that first",
                                 MANDATE_SLICE_ARG(is->claims.parent));
    if (!claims_of(e, handle, &e->memory, &parent) || !backlog_catch_up(e, handle))
        return MANDATE_NOMEM;
    scope_inherit(&is->claims, &parent);
    mandate_state state = engine_effective_state(e, handle, e->batch_now_us, &because);
    if (state != STATE_ACTIVE)
        return mandate_error_set(err, MANDATE_CONFLICT, "its parent \"%.*s\" is %s: only an active mandate can be delegated",
                                 MANDATE_SLICE_ARG(is->claims.parent), mandate_state_name(state));
    if (mandate_at(e, handle)->depth + 1 > LIMIT_DELEGATION_DEPTH)
        return mandate_error_set(err, MANDATE_LIMIT, "delegation is at most %d generations deep", LIMIT_DELEGATION_DEPTH);
    is->parent = handle;
    mandate_status s = scope_is_subset(&is->claims, &parent, err);
    return s ? s : check_children(is, &parent, err);
}

/* The one whose place it takes: live, and standing where it will stand. */
static mandate_status check_superseded(issuance *is, mandate_error *err)
{
    engine *e = is->e;
    uint32_t because, handle = engine_mandate_find(e, is->claims.supersedes);
    if (handle == UINT32_MAX)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no mandate \"%.*s\" to supersede",
                                 MANDATE_SLICE_ARG(is->claims.supersedes));
    if (!backlog_catch_up(e, handle))
        return MANDATE_NOMEM;
    mandate_state state = engine_effective_state(e, handle, e->batch_now_us, &because);
    if (mandate_state_is_final(state))
        return mandate_error_set(err, MANDATE_CONFLICT,
                                 "\"%.*s\" has already ended, it is %s: issue this without \"supersedes\"",
                                 MANDATE_SLICE_ARG(is->claims.supersedes), mandate_state_name(state));
    uint32_t parent = parent_of(e, handle);
    mandate_slice theirs = parent == MANDATE_NONE ? (mandate_slice){"", 0} : mandate_id(e, parent);
    if (!mandate_slice_eq(theirs, is->claims.parent))
        return mandate_error_set(
            err, MANDATE_INVALID,
            "a successor has the parent of the one it supersedes: \"%.*s\" has \"%.*s\", this has \"%.*s\"",
            MANDATE_SLICE_ARG(is->claims.supersedes), MANDATE_SLICE_ARG(theirs), MANDATE_SLICE_ARG(is->claims.parent));
    is->superseded = handle;
    return MANDATE_OK;
}

/* One list of unobservable attributes over all clauses. */
static bool add_unobservable(issuance *is, int clause)
{
    engine_answer *a = is->answer;
    mandate_slice *names, *all;
    uint32_t count;
    if (condition_unobservable(is->e->conditions, is->template[clause], &is -> e -> memory, &names, &count, NULL) !=
        MANDATE_OK)
        return engine_fail(is->e, "out of memory while issuing");
    all = ARENA_ARRAY(&is->e->memory, mandate_slice, a->unobservable_count + count + 1);
    if (!all)
        return engine_fail(is->e, "out of memory while issuing");
    if (a->unobservable_count)
        memcpy(all, a->unobservable, a->unobservable_count * sizeof(*all));
    for (uint32_t i = 0; i < count; i++) {
        bool there = false;
        for (uint32_t k = 0; k < a->unobservable_count && !there; k++)
            there = mandate_slice_eq(all[k], names[i]);
        if (!there)
            all[a->unobservable_count++] = names[i];
    }
    a->unobservable = all;
    return true;
}

/* "crm.conversation["R-42"].status is "closed" (crm, offset 17)" */
static void say_why(issuance *is, int clause, buf *out)
{
    condition_truth value;
    transition_term *terms;
    uint32_t count, total;
    if (condition_evidence(is->e->conditions, is->template[clause], is -> claims.clause[clause], &is->claims, &is->e->memory,
                           &value, &terms, &count, &total, NULL) != MANDATE_OK)
        return;
    for (uint32_t i = 0; i < count && out->len < 400; i++) {
        buf_printf(out, "%s%.*s is ", i ? ", " : "; ", MANDATE_SLICE_ARG(terms[i].path));
        if (terms[i].value.kind == CEL_UNKNOWN)
            buf_put_str(out, "unobserved");
        else
            cel_to_text(out, terms[i].value, 80);
        if (terms[i].observed)
            buf_printf(out, " (%s, partition %d, offset %lld)", schema_source_name(is->e->schema, terms[i].origin.source),
                       terms[i].origin.partition, (long long)terms[i].origin.offset);
    }
}

static mandate_status check_clause(issuance *is, int clause, mandate_error *err)
{
    engine *e = is->e;
    buf why;
    mandate_status s = condition_compile(&is->template[clause], e -> conditions, is -> claims.clause[clause], err);
    if (s)
        return mandate_error_prefix(err, s, "\"%s\" does not compile", claims_clause_names[clause]);
    if (!add_unobservable(is, clause))
        return MANDATE_NOMEM;
    s = condition_bind(&is->edge[clause], e->conditions, is->template[clause], is -> claims.clause[clause], &is->claims,
                       err);
    if (s)
        return engine_fail(e, "out of memory while issuing"), s;
    is->bound[clause] = true;
    condition_truth truth = condition_value(e->conditions, is->edge[clause]);
    bool over = (clause == CLAUSE_WHILE && truth == TRUTH_FALSE) || (clause == CLAUSE_UNTIL && truth == TRUTH_TRUE);
    if (!over)
        return MANDATE_OK;
    buf_init(&why);
    say_why(is, clause, &why);
    s = mandate_error_set(
        err, MANDATE_CONFLICT,
        "its \"%s\" is already %s, so it would end at once: correct it, or issue this when that has changed%s",
        claims_clause_names[clause], truth == TRUTH_TRUE ? "true" : "false", buf_cstr(&why));
    buf_deinit(&why);
    return s;
}

mandate_status issuance_check_clauses(issuance *is, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    for (int k = 0; s == MANDATE_OK && k < CLAUSE_COUNT; k++)
        if (is->claims.clause[k].len)
            s = check_clause(is, k, err);
    return s;
}

void issuance_deinit(issuance *is)
{
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        if (is->bound[k])
            condition_release(is->e->conditions, is->edge[k]);
        if (is->template[k])
            condition_template_release(is->e->conditions, is->template[k]);
    }
}

/* --- it exists ----------------------------------------------------------------------------------------------- */
static bool keep_claims(issuance *is, uint32_t handle)
{
    engine *e = is->e;
    buf *b = &e->record_text;
    buf_reset(b);
    claims_encode(b, &is->claims);
    mandate_slice bytes = b->failed ? (mandate_slice){NULL, 0} : arena_dup(&e->memory, buf_slice(b));
    bool ok = bytes.ptr && mandate_set_new_claims(e, handle, bytes);
    if (ok && !e->claims_load) {
        mandate_slice *kept = &e->claims_kept.data[handle];
        ok = !kept->ptr || VEC_PUSH(&e->claims_outdated, *kept); /* this step's results borrow from it */
        *kept = buf_slice(b);                                    /* the mandate's from here on */
        buf_init(b);
    }
    return ok;
}

bool issuance_settle(issuance *is, uint32_t handle)
{
    if (!mandate_set_terms(is->e, handle, &is->claims) || !mandate_set_clauses(is->e, handle, is->template))
        return false;
    memset(is->template, 0, sizeof(is->template)); /* the issuance's references moved to the mandate */
    return keep_claims(is, handle) && mandate_bind(is->e, handle, &is->claims, is->e->err);
}

static bool supersede(issuance *is, const occasion *why)
{
    engine *e = is->e;
    uint32_t at = e->transitions.len;
    if (is->superseded == MANDATE_NONE)
        return true;
    if (!mandate_change(e, is->superseded, STATE_SUPERSEDED, REASON_SUPERSEDED, CLAUSE_NONE, why))
        return false;
    e->transitions.data[at].successor = is->claims.id; /* in the step's memory */
    return true;
}

/* First the old one ends, then the new one is there: a moment that nobody sees, since both come with one commit. */
static bool create(issuance *is, const occasion *why)
{
    engine *e = is->e;
    uint32_t answer = (uint32_t)(is->answer - e->answers.data);
    is->claims.issued_at_us = e->batch_now_us;
    if (!supersede(is, why))
        return false;
    uint32_t handle = mandate_add(e, e->mandates.len, is->claims.id);
    if (handle == MANDATE_NONE)
        return engine_fail(e, "out of memory while issuing");
    mandate_at(e, handle)->state = STATE_ACTIVE;
    if (!issuance_settle(is, handle))
        return engine_fail(e, "out of memory while issuing");
    if (!mandate_link(e, handle, is->parent))
        return false;
    standing_at(e, handle)->seen = mandate_look(e, handle);
    e->mandates_live++;
    if (!timer_arm(&e->deadlines, TIMER_EXPIRY, handle, is->claims.expires_at_us))
        return engine_fail(e, "out of memory while issuing");
    e->answers.data[answer].transition = e->transitions.len;
    e->at_hand = &is->claims; /* in the step's memory, as what is decoded would be */
    e->at_hand_of = handle;
    bool ok = mandate_change(e, handle, STATE_ACTIVE, REASON_ISSUED, CLAUSE_NONE, why) &&
              mandate_review(e, handle, standing_at(e, handle)->seen, why);
    e->at_hand = NULL;
    if (!ok)
        return false;
    answer_mandate(e, &e->answers.data[answer], handle);
    return true;
}

mandate_status issuance_take(issuance *is, const claims *given, mandate_error *err)
{
    arena *memory = &is->e->memory;
    buf *b = &is->e->record_text;
    bool encoded = content(b, given);
    size_t size = b->len;
    mandate_slice bytes = encoded ? arena_dup(memory, buf_slice(b)) : (mandate_slice){NULL, 0};
    if (!bytes.ptr)
        return MANDATE_NOMEM;
    if (size > LIMIT_CLAIMS)
        return mandate_error_set(err, MANDATE_LIMIT,
                                 "the mandate has %zu bytes, at most %d are allowed: shorten its lists, params or targets",
                                 size, LIMIT_CLAIMS);
    if (claims_decode(&is->claims, memory, bytes, NULL) == MANDATE_OK)
        return MANDATE_OK;
    return memory->failed ? MANDATE_NOMEM
                          : mandate_error_set(err, MANDATE_INVALID,
                                              "\"params\" and \"targets\" may nest at most %d deep and hold data only",
                                              LIMIT_VALUE_DEPTH);
}

bool issue_run(engine *e, const claims *c, engine_answer *a, const occasion *why)
{
    issuance is = {.e = e, .answer = a, .parent = MANDATE_NONE, .superseded = MANDATE_NONE};
    bool settled = false, ok = true;
    mandate_error *err = &a->error;
    assert(c);
    a->mandate = arena_dup(&e->memory, c->id);
    a->state = STATE_NONE;
    if (claims_check(c, err) != MANDATE_OK)
        return true;
    if (!mandate_slice_eq(c->issuer, e->issuer)) {
        mandate_error_set(err, MANDATE_DENIED, "\"issuer\" must be \"%.*s\": mandates of others are not issued here",
                          MANDATE_SLICE_ARG(e->issuer));
        return true;
    }
    mandate_status taken = issuance_take(&is, c, err);
    if (taken)
        return taken != MANDATE_NOMEM || engine_fail(e, "out of memory while issuing");
    mandate_status parent = is.claims.supersedes.len ? check_superseded(&is, err) : MANDATE_OK;
    if (parent == MANDATE_OK || engine_mandate_find(e, is.claims.id) != UINT32_MAX) /* defaults are content */
        parent = check_parent(&is, err);
    if (e->failed || !is_repetition(&is, &settled))
        return false;
    if (settled && a->repeated)
        *err = (mandate_error){0};
    if (settled)
        return true;
    mandate_status s = parent;
    if (s == MANDATE_OK)
        s = issuance_check_expiry(&is, err);
    if (s == MANDATE_OK)
        s = issuance_check_clauses(&is, err);
    if (s == MANDATE_OK)
        ok = create(&is, why);
    issuance_deinit(&is);
    return ok && !e->failed;
}
