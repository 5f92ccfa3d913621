/* SPDX-License-Identifier: Apache-2.0 */
/* power - names out of the one list. */
#include "connectors/policy/power.h"

#include <assert.h>

static const struct {
    const char *name, *text;
} powers[POWER_COUNT] = {
#define X(upper, name, over, text) {name, text},
    POWER_MAP(X)
#undef X
};

const char *power_name(power p)
{
    assert((unsigned)p < POWER_COUNT);
    return powers[p].name;
}

const char *power_text(power p)
{
    assert((unsigned)p < POWER_COUNT);
    return powers[p].text;
}

power power_parse(mandate_slice name)
{
    for (unsigned i = POWER_DISCOVER; i < POWER_COUNT; i++)
        if (mandate_slice_is(name, powers[i].name))
            return (power)i;
    return POWER_NONE;
}
