/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health - what a supervisor and a metrics collector ask, and the description of the API itself.
 *
 * The description is schemas/openapi.yaml, taken into the program when it is built.
 */
#include "connectors/http/request.h"

void http_health(http_request *r)
{
    buf_put_str(&r->reply, "{\"status\":\"ok\",\"version\":");
    buf_put_json_string(&r->reply, mandate_slice_str(mandate_version()));
    buf_put_str(&r->reply, "}\n");
    http_reply(r, 200, "application/json");
}

void http_ready(http_request *r)
{
    const service *port = http_service(r);
    bool ready = port->ready(port->ctx, &r->reply);
    if (port->authorise && !(r->who->always >> POWER_OBSERVE & 1)) { /* why not is for those who may know */
        buf_reset(&r->reply);
        buf_put_str(&r->reply, ready ? "{\"ready\":true}" : "{\"ready\":false}");
    }
    http_reply(r, ready ? 200 : 503, "application/json");
}

void http_jwks(http_request *r)
{
    const service *port = http_service(r);
    port->jwks(port->ctx, &r->reply);
    http_reply(r, 200, "application/jwk-set+json");
}

void http_metrics(http_request *r)
{
    const service *port = http_service(r);
    port->metrics(port->ctx, &r->reply);
    http_put_metrics(r, &r->reply);
    http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8");
}

extern const char http_openapi_begin[], http_openapi_end[];
__asm__(".pushsection .rodata\n"
        ".global http_openapi_begin, http_openapi_end\n"
        ".hidden http_openapi_begin, http_openapi_end\n"
        "http_openapi_begin: .incbin \"" HTTP_OPENAPI_FILE "\"\n"
        "http_openapi_end:\n"
        ".popsection\n");

void http_openapi(http_request *r)
{
    buf_put(&r->reply, http_openapi_begin, (size_t)(http_openapi_end - http_openapi_begin));
    http_reply(r, 200, "application/yaml");
}
