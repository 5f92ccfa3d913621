/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate token, mandate verify - the signed mandate: get one, and check one without asking the server.
 *
 * `token` prints the chain, a compact JWS a line, the root first; `verify` reads just that. Verifying needs the issuer's
 * JWK Set as a file, so that nobody trusts keys because a token or a server offered them.
 */
#include "connectors/cli/client.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/token/keyset.h"
#include "engine/base/text.h"
#include "engine/limits.h"
#include "mandate/verify.h"

#include <stdio.h>
#include <time.h>

static void show_chain(client *c)
{
    cel_value chain = json_member(c->value, "chain");
    for (uint32_t i = 0; chain.kind == CEL_LIST && i < chain.len; i++)
        if (chain.items[i].kind == CEL_STRING)
            printf("%.*s\n", (int)chain.items[i].len, chain.items[i].s);
}

int cmd_mandate_token(int argc, char **argv)
{
    const char *audience = NULL;
    const arg_option options[] = {{"--audience", .value = &audience}};
    arg_common common;
    const char *id[1];
    buf path;
    if (!args_parse(argc, argv, &common, options, 1, id, 1, 1))
        return CLI_REFUSED;
    buf_init(&path);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(id[0]));
    buf_put_str(&path, "/token");
    if (audience) {
        buf_put_str(&path, "?audience=");
        path_segment(&path, mandate_slice_str(audience));
    }
    exit_code code = client_show(&common, buf_cstr(&path), show_chain);
    buf_deinit(&path);
    return code;
}

static void show_handle(client *c)
{
    buf line, value;
    cel_value is = json_member(c->value, "value");
    buf_init(&line);
    buf_init(&value);
    out_column(&line, OUT_DIM, mandate_slice_str("mandate"), 9);
    out_text(&line, OUT_PLAIN, json_member_text(c->value, "mandate"));
    out_line(&line);
    if (is.kind != CEL_STRING)
        cel_to_json(&value, is);
    out_column(&line, OUT_DIM, json_member_text(c->value, "member"), 9);
    out_text(&line, OUT_PLAIN, is.kind == CEL_STRING ? cel_text(is) : buf_slice(&value));
    out_line(&line);
    buf_deinit(&line);
    buf_deinit(&value);
}

int cmd_mandate_handle(int argc, char **argv)
{
    arg_common common;
    const char *handle[1];
    buf path;
    if (!args_parse(argc, argv, &common, NULL, 0, handle, 1, 1))
        return CLI_REFUSED;
    buf_init(&path);
    buf_put_str(&path, "/v1/handles/");
    path_segment(&path, mandate_slice_str(handle[0]));
    exit_code code = client_show(&common, buf_cstr(&path), show_handle);
    buf_deinit(&path);
    return code;
}

/* --- verify ---------------------------------------------------------------------------------------------------- */
typedef struct verification {
    const char *jwks, *issuer, *audience, *agent, *action, *resource, *properties, *resource_properties, *context, *at,
        *status_list;
    bool whole;
    int64_t now_us;
    mandate_slice chain[LIMIT_TOKEN_CHAIN];
    size_t count;
} verification;

/* Lines that are not empty. */
static mandate_status read_chain(verification *v, mandate_slice text, mandate_error *err)
{
    size_t begin = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '\n')
            continue;
        size_t end = i > begin && text.ptr[i - 1] == '\r' ? i - 1 : i;
        if (end > begin && v->count == LIMIT_TOKEN_CHAIN)
            return mandate_error_set(err, MANDATE_LIMIT, "more than %d tokens", LIMIT_TOKEN_CHAIN);
        if (end > begin)
            v->chain[v->count++] = mandate_slice_of(text.ptr + begin, end - begin);
        begin = i + 1;
    }
    return MANDATE_OK;
}

static mandate_status read_time(verification *v, mandate_error *err)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    v->now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    if (v->at && !time_parse_us(mandate_slice_str(v->at), &v->now_us))
        return mandate_error_set(err, MANDATE_INVALID, "--at: expected a time such as 2030-01-31T17:00:00Z, got \"%s\"",
                                 v->at);
    return MANDATE_OK;
}

/* What is not known of which mandate, and what stands for it. */
static void show_missing(const mandate_verified *m, buf *line)
{
    for (size_t i = 0; i < mandate_verified_depth(m); i++) {
        mandate_slice member;
        for (size_t n = 0; (member = mandate_verified_undisclosed(m, i, n)).len; n++) {
            out_column(line, OUT_DIM, mandate_slice_str(n ? "" : "missing"), 9);
            out_text(line, OUT_PLAIN, member);
            out_str(line, OUT_DIM, "  of ");
            out_text(line, OUT_DIM, mandate_verified_chain_id(m, i));
            if (mandate_verified_handle(m, i, member).len) {
                out_str(line, OUT_DIM, "  ");
                out_text(line, OUT_PLAIN, mandate_verified_handle(m, i, member));
            }
            out_line(line);
        }
    }
}

static void show(const mandate_verified *m, bool asked)
{
    buf line;
    char at[TIME_TEXT_MAX];
    size_t len = time_format_us(at, mandate_verified_expires_at_us(m));
    const struct {
        const char *name;
        mandate_slice text;
    } rows[] = {
        {"mandate", mandate_verified_id(m)},      {"issuer", mandate_verified_issuer(m)},
        {"grantor", mandate_verified_grantor(m)}, {"agent", mandate_verified_agent(m)},
        {"purpose", mandate_verified_purpose(m)}, {"authority", mandate_verified_authority_hash(m)},
        {"expires", mandate_slice_of(at, len)},
    };
    buf_init(&line);
    out_str(&line, OUT_GOOD, asked ? "genuine, unexpired, and permits it" : "genuine and unexpired");
    out_str(&line, OUT_DIM, "  whether its reason still holds is for the revocation topic or a check to say");
    out_line(&line);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!rows[i].text.len)
            continue; /* not disclosed */
        out_column(&line, OUT_DIM, mandate_slice_str(rows[i].name), 9);
        out_text(&line, OUT_PLAIN, rows[i].text);
        out_line(&line);
    }
    for (size_t i = 0; i + 1 < mandate_verified_depth(m); i++) {
        out_column(&line, OUT_DIM, mandate_slice_str(i ? "" : "from"), 9);
        out_text(&line, OUT_PLAIN, mandate_verified_chain_id(m, i));
        out_line(&line);
    }
    show_missing(m, &line);
    buf_deinit(&line);
}

static void put_missing(const mandate_verified *m, buf *b)
{
    buf_put_str(b, ",\"undisclosed\":[");
    for (size_t i = 0; i < mandate_verified_depth(m); i++) {
        buf_put_str(b, i ? ",[" : "[");
        mandate_slice member;
        for (size_t n = 0; (member = mandate_verified_undisclosed(m, i, n)).len; n++) {
            if (n)
                buf_put_char(b, ',');
            buf_put_json_string(b, member);
        }
        buf_put_char(b, ']');
    }
    buf_put_char(b, ']');
}

static void show_json(const mandate_verified *m)
{
    buf b;
    char at[TIME_TEXT_MAX];
    size_t len = time_format_us(at, mandate_verified_expires_at_us(m));
    buf_init(&b);
    buf_put_str(&b, "{\"valid\":true,\"mandate\":");
    buf_put_json_string(&b, mandate_verified_id(m));
    buf_put_str(&b, ",\"issuer\":");
    buf_put_json_string(&b, mandate_verified_issuer(m));
    buf_put_str(&b, ",\"agent\":");
    buf_put_json_string(&b, mandate_verified_agent(m));
    buf_put_str(&b, ",\"authority_hash\":");
    buf_put_json_string(&b, mandate_verified_authority_hash(m));
    buf_put_str(&b, ",\"expires_at\":");
    buf_put_json_string(&b, mandate_slice_of(at, len));
    buf_put_str(&b, ",\"chain\":[");
    for (size_t i = 0; i < mandate_verified_depth(m); i++) {
        if (i)
            buf_put_char(&b, ',');
        buf_put_json_string(&b, mandate_verified_chain_id(m, i));
    }
    buf_put_char(&b, ']');
    put_missing(m, &b);
    buf_printf(&b, ",\"version\":%u}\n", (unsigned)mandate_verified_version(m, mandate_verified_depth(m) - 1));
    fwrite(b.data, 1, b.len, stdout);
    buf_deinit(&b);
}

/* DENIED unless the list says that the last mandate of the chain, and with it every ancestor, is valid. */
static mandate_status check_standing(const verification *v, const mandate_verified *m, const mandate_verifier *verifier,
                                     mandate_error *err)
{
    mandate_standing stands = MANDATE_STANDS_INVALID;
    buf list;
    buf_init(&list);
    mandate_status status = input_read(&list, v->status_list, LIMIT_TOKEN + 1, err);
    mandate_slice token = buf_slice(&list);
    if (token.len && token.ptr[token.len - 1] == '\n')
        token.len--;
    if (!status)
        status = mandate_verified_standing(m, verifier, mandate_verified_depth(m) - 1, token, v->now_us, &stands, err);
    if (!status && stands != MANDATE_STANDS_VALID)
        status = mandate_error_set(err, MANDATE_DENIED, "the status list says that the mandate %s",
                                   stands == MANDATE_STANDS_SUSPENDED ? "is suspended, or an ancestor is"
                                                                      : "has ended, or an ancestor has");
    buf_deinit(&list);
    return status;
}

static mandate_slice given(const char *text) { return mandate_slice_str(text ? text : ""); }

static mandate_status permits(const verification *v, const mandate_verified *m, mandate_error *err)
{
    mandate_asked asked = MANDATE_ASKED_INIT;
    asked.action = given(v->action);
    asked.resource = given(v->resource);
    asked.properties = given(v->properties);
    asked.resource_properties = given(v->resource_properties);
    asked.context = given(v->context);
    return mandate_verified_permits_asked(m, &asked, v->now_us, err);
}

static mandate_status verify(verification *v, bool json, mandate_error *err)
{
    buf keys, tokens;
    mandate_verifier *verifier = NULL;
    mandate_verified *m = NULL;
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    buf_init(&keys);
    buf_init(&tokens);
    mandate_status status = read_time(v, err);
    if (!status)
        status = input_read(&keys, v->jwks, KEYSET_JSON_MAX, err);
    if (!status)
        status = input_read(&tokens, "-", LIMIT_TOKEN_CHAIN_BYTES, err);
    if (!status)
        status = read_chain(v, buf_slice(&tokens), err);
    if (!status)
        status = mandate_verifier_create(&verifier, NULL, err);
    if (!status)
        status = mandate_verifier_trust(verifier, mandate_slice_str(v->issuer), buf_slice(&keys), err);
    if (!status) {
        o.audience = mandate_slice_str(v->audience ? v->audience : "");
        o.agent = mandate_slice_str(v->agent ? v->agent : "");
        o.now_us = v->now_us;
        o.whole = v->whole;
        status = mandate_verify(&m, verifier, v->chain, v->count, &o, err);
    }
    if (!status && v->status_list)
        status = check_standing(v, m, verifier, err);
    if (!status && v->action)
        status = permits(v, m, err);
    if (!status && json)
        show_json(m);
    else if (!status)
        show(m, v->action != NULL);
    mandate_verified_destroy(m);
    mandate_verifier_destroy(verifier);
    buf_deinit(&keys);
    buf_deinit(&tokens);
    return status;
}

int cmd_mandate_verify(int argc, char **argv)
{
    static verification v; /* the chain's slices are too many for a stack frame */
    const arg_option options[] = {
        {"--jwks", .value = &v.jwks},
        {"--issuer", .value = &v.issuer},
        {"--audience", .value = &v.audience},
        {"--agent", .value = &v.agent},
        {"--action", .value = &v.action},
        {"--resource", .value = &v.resource},
        {"--properties", .value = &v.properties},
        {"--resource-properties", .value = &v.resource_properties},
        {"--context", .value = &v.context},
        {"--at", .value = &v.at},
        {"--status-list", .value = &v.status_list},
        {"--whole", .flag = &v.whole},
    };
    arg_common common;
    mandate_error err;
    if (!args_parse(argc, argv, &common, options, sizeof(options) / sizeof(*options), NULL, 0, 0))
        return CLI_REFUSED;
    if (!v.jwks || !v.issuer || !v.action != !v.resource) {
        out_problem("needed: --jwks FILE --issuer URI, and --action with --resource or neither");
        return CLI_REFUSED;
    }
    mandate_status status = verify(&v, common.json, &err);
    if (status == MANDATE_DENIED || status == MANDATE_INVALID || status == MANDATE_LIMIT) {
        if (common.json) {
            buf b;
            buf_init(&b);
            buf_put_str(&b, "{\"valid\":false,\"reason\":");
            buf_put_json_string(&b, mandate_slice_str(err.text));
            printf("%s}\n", buf_cstr(&b));
            buf_deinit(&b);
        }
        out_problem("%s", err.text);
        return CLI_DENIED;
    }
    if (status)
        out_problem("%s", err.text);
    return status ? CLI_REFUSED : CLI_OK;
}
