/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorise - the gate that every request passes: who is it, and does the policy let them use what the route names?
 *
 * Here is decided what can be decided without the engine; a request about a mandate is judged again by its claims and state
 * where it is carried out (service_request.who and .power). A route that names no power is closed to everybody, with or
 * without a policy.
 */
#include "connectors/http/request.h"

#include <assert.h>

mandate_status http_authorise(http_request *r, power needed, mandate_slice mandate, const claims *c, mandate_error *err)
{
    const service *port = http_service(r);
    const service_access access = {.who = &r->who, .power = needed, .mandate = mandate, .claims = c};

    assert(r->who.name.len && needed != POWER_LOCAL);
    if (needed == POWER_NONE)
        return mandate_error_set(err, MANDATE_DENIED, "nobody may do this: it names no power");
    return port->authorise ? port->authorise(port->ctx, &access, err) : MANDATE_OK;
}

/* The mandate that the path is about, or an empty one. */
static mandate_slice subject_of(const http_request *r)
{
    return strstr(r->route->pattern, "{mandate}") ? r->params[0] : mandate_slice_of("", 0);
}

bool http_admit(http_request *r)
{
    mandate_error err;

    if (http_identify(r, &err) || http_authorise(r, r->route->power, subject_of(r), NULL, &err)) {
        http_fail(r, &err);
        return false;
    }
    r->ask.power = r->route->power;
    return true;
}
