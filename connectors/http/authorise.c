/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authorise - the gate that every request passes: who is it, and does the policy let them use what the route names?
 *
 * Here is decided what can be decided without the engine; a request about a mandate is judged again by its claims and state
 * where it is carried out (service_request.who and .power). A route that names no power is closed to everybody, with or
 * without a policy.
 */
#include "connectors/http/server_int.h"
#include "engine/base/error_slot.h"

#include <assert.h>

mandate_status http_authorise_access(http_request *r, service_access *access, mandate_error *err)
{
    const service *port = http_service(r);

    assert(r->who && r->who->name.len && access->power != POWER_LOCAL);
    access->who = r->who;
    if (access->power == POWER_NONE)
        return mandate_error_set(err, MANDATE_DENIED, "nobody may do this: it names no power");
    if (!port->authorise || r->who->always >> access->power & 1)
        return MANDATE_OK;
    return port->authorise(port->ctx, access, err);
}

mandate_status http_authorise(http_request *r, power needed, mandate_slice mandate, const claims *c, mandate_error *err)
{
    service_access access = {.power = needed, .mandate = mandate, .claims = c};

    return http_authorise_access(r, &access, err);
}

unsigned http_code_denied(const http_request *r, const mandate_error *err)
{
    bool nobody = r->who && r->who->kind == PRINCIPAL_ANONYMOUS && http_service(r)->login;

    return err->status == MANDATE_DENIED && nobody ? MHD_HTTP_UNAUTHORIZED : http_code_of(err->status);
}

/* What the path says of what it is about. */
static void read_path(service_access *out, policy_event *event, const http_request *r)
{
    const char *pattern = r->route->pattern;

    if (!strchr(pattern, '{'))
        return;
    if (strstr(pattern, "{mandate}"))
        out->mandate = r->params[0];
    if (strstr(pattern, "/connectors/{name}"))
        out->connector = r->params[0];
    if (strstr(pattern, "{type}/{id}")) {
        *event = (policy_event){.type = r->params[0], .id = r->params[1]};
        out->event = event;
    }
}

static const policy_principal nobody = {
    .kind = PRINCIPAL_ANONYMOUS, .name = MANDATE_SLICE_LIT("anonymous"), .always = UINT32_C(1) << POWER_HEALTH};

bool http_admit(http_request *r)
{
    unsigned code = 0;
    policy_event event;
    ERROR_SLOT(err);
    service_access access = {.power = r->route->power};

    mandate_status known = http_identify(r, &code, &err);
    if (known && access.power == POWER_HEALTH) { /* whoever probes is not turned away for what it says of itself */
        r->who = &nobody;
        known = MANDATE_OK;
    }
    if (known) {
        http_fail_code(r, code, &err);
        return false;
    }
    r->ask.power = r->route->power;
    read_path(&access, &event, r);
    mandate_status status = http_authorise_access(r, &access, &err);
    /* What is issued is a part of another mandate when it names a parent, and then other powers do. */
    if (status && access.power == POWER_ISSUE) {
        access.power = POWER_DELEGATE;
        if (http_authorise_access(r, &access, NULL) == MANDATE_OK)
            status = MANDATE_OK;
    }
    if (status)
        http_fail_code(r, http_code_denied(r, &err), &err);
    return status == MANDATE_OK;
}
