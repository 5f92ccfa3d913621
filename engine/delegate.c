/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegate - a child from what it says, filled in with what its parent has: issuing, with less to write.
 *
 * Whatever is not said is the parent's: purpose, scope, audience, expiry, what bounds delegation, what is restricted. A limit is replaced by the
 * one of its name and the others stay. The grantor is the parent's agent. Conditions and their params are not copied: those of
 * every ancestor hold for a child as they are, since it is active only while they are.
 */
#include "engine/command_int.h"

#include "engine/mandate/disclosure.h"

bool delegate_run(engine *e, const engine_command *c, engine_answer *a, const occasion *why)
{
    uint32_t handle = engine_mandate_find(e, c->mandate);
    claims parent;
    a->mandate = arena_dup(&e->memory, c->claims->id);
    a->state = STATE_NONE;
    if (handle == UINT32_MAX) {
        mandate_error_set(&a->error, MANDATE_NOT_FOUND, "there is no mandate \"%.*s\"", MANDATE_SLICE_ARG(c->mandate));
        return true;
    }
    if (!engine_at_version(e, handle, c->if_version, a))
        return true;
    if (!claims_of(e, handle, &e->memory, &parent))
        return false;
    claims child = claims_inherited(&parent, e->issuer);
    if (c->claims->given & CLAIMS_GIVEN(PARENT) && !mandate_slice_eq(c->claims->parent, c->mandate)) {
        mandate_error_set(&a->error, MANDATE_INVALID, "\"parent\" is \"%.*s\", but it is delegated from \"%.*s\"",
                          MANDATE_SLICE_ARG(c->claims->parent), MANDATE_SLICE_ARG(c->mandate));
        return true;
    }
    /* What it restricts is restricted in the child, as far as the child has it; beside it, where the child says nothing of it, what
     * stands as a default with what it says (command_int.h). */
    if (claims_overlay(&child, c->claims, &e->memory, &a->error) != MANDATE_OK ||
        disclosure_prune(&child, c->claims, &e->memory, &a->error) != MANDATE_OK ||
        disclosure_default(&child, NULL, c->claims->disclosures, c->claims->disclosure_count, &e->memory, &a->error) !=
            MANDATE_OK)
        return engine_fail(e, "out of memory while delegating");
    return issue_run(e, &child, a, why);
}
