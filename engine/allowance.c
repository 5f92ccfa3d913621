/* SPDX-License-Identifier: Apache-2.0 */
/* allowance - see the header. */
#include "engine/allowance.h"

#include "engine/engine_int.h"

#include <stdlib.h>

static void forget(allowance *a)
{
    free(a->budgets);
    *a = (allowance){0};
}

void allowances_deinit(allowances *a)
{
    for (uint32_t i = 0; a->places && i < ALLOWANCE_PLACES; i++)
        forget(&a->places[i]);
    free(a->places);
    a->places = NULL;
}

/* One block: the budgets, then their names. */
static bool keep(allowance *a, const claims *c)
{
    size_t size = c->budget_count * sizeof(claims_budget);

    for (uint32_t i = 0; i < c->budget_count; i++)
        size += c->budgets[i].name.len;
    if (size && !(a->budgets = malloc(size)))
        return false;
    char *at = (char *)(a->budgets + c->budget_count);
    for (uint32_t i = 0; i < c->budget_count; i++) {
        mandate_slice name = c->budgets[i].name;
        memcpy(at, name.ptr, name.len);
        a->budgets[i] = (claims_budget){mandate_slice_of(at, name.len), c->budgets[i].max};
        at += name.len;
    }
    a->count = c->budget_count;
    return true;
}

const allowance *allowance_of(engine *e, uint32_t handle)
{
    const mandate_more *more = mandate_more_of(e, handle);
    const uint32_t amended_at = more ? more->amended_at : 0;
    claims c;

    if (!e->allowances.places && !(e->allowances.places = calloc(ALLOWANCE_PLACES, sizeof(allowance))))
        return engine_fail(e, "out of memory while spending"), NULL;
    allowance *a = &e->allowances.places[handle % ALLOWANCE_PLACES];
    if (a->kept && a->handle == handle && a->amended_at == amended_at)
        return a;
    forget(a);
    if (!claims_of(e, handle, &e->memory, &c))
        return NULL;
    if (!keep(a, &c))
        return engine_fail(e, "out of memory while spending"), NULL;
    a->handle = handle;
    a->amended_at = amended_at;
    a->kept = true;
    return a;
}
