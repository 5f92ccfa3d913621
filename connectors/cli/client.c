/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - libcurl with short limits: no redirects, no proxies from the environment, nothing but
 * HTTP(S).
 */
#include "connectors/cli/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/cli/input.h"
#include "connectors/cli/out.h"

enum { CONNECT_MS = 3000, TOTAL_MS = 25000, REPLY_MAX = 64 << 20, TOKEN_FILE_MAX = 64 << 10 };

/* The token is on the first line of a file. */
static exit_code read_token(client *c)
{
    const char *path = c->common->token_file ? c->common->token_file : getenv("MANDATED_TOKEN_FILE");
    mandate_error err;
    buf text;

    if (!path || !*path)
        return CLI_OK;
    buf_init(&text);
    mandate_status status = input_read(&text, path, TOKEN_FILE_MAX, &err);
    size_t len = status ? 0 : strcspn(buf_cstr(&text), "\r\n");
    if (status)
        out_problem("%s: %s", path, err.text);
    else if (len == 0)
        out_problem("%s: holds no token", path);
    else
        buf_printf(&c->authorization, "Authorization: Bearer %.*s", (int)len, text.data);
    if (text.data)
        explicit_bzero(text.data, text.cap);
    buf_deinit(&text);
    return len ? CLI_OK : CLI_REFUSED;
}

exit_code client_open(client *c, const arg_common *common)
{
    const char *path = common->socket;
    *c = (client){.common = common};
    arena_init(&c->a, 0);
    buf_init(&c->body);
    buf_init(&c->authorization);
    if (!path || !*path)
        path = getenv("MANDATED_SOCKET");
    if (!path || !*path)
        path = "./data/mandated.sock";
    if (strlen(path) >= sizeof(c->socket)) {
        out_problem("the socket path %s is longer than %zu bytes", path, sizeof(c->socket) - 1);
        return CLI_REFUSED;
    }
    memcpy(c->socket, path, strlen(path) + 1);
    if (common->url && strncmp(common->url, "http://", 7) != 0 && strncmp(common->url, "https://", 8) != 0) {
        out_problem("--url: expected http://host:port, got \"%s\"", common->url);
        return CLI_REFUSED;
    }
    if (read_token(c) != CLI_OK)
        return CLI_REFUSED;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(c->curl = curl_easy_init())) {
        out_problem("libcurl does not start");
        return CLI_INTERNAL;
    }
    return CLI_OK;
}

void client_close(client *c)
{
    if (c->curl) {
        curl_easy_cleanup(c->curl);
        curl_global_cleanup();
    }
    arena_deinit(&c->a);
    buf_deinit(&c->body);
    if (c->authorization.data)
        explicit_bzero(c->authorization.data, c->authorization.cap);
    buf_deinit(&c->authorization);
}

static size_t receive(char *data, size_t size, size_t count, void *ctx)
{
    buf *body = ctx;
    if (body->len + size * count > REPLY_MAX)
        return 0;
    buf_put(body, data, size * count);
    return body->failed ? 0 : size * count;
}

static CURLcode perform(client *c, const char *method, const char *path, mandate_slice body)
{
    CURL *curl = c->curl;
    struct curl_slist *headers = NULL;
    buf url;
    long code = 0;
    const char *base = c->common->url ? c->common->url : "http://localhost";
    size_t base_len = strlen(base);
    while (base_len && base[base_len - 1] == '/')
        base_len--;
    buf_init(&url);
    buf_printf(&url, "%.*s%s", (int)base_len, base, path);
    buf_reset(&c->body);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, buf_cstr(&url));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOTAL_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &c->body);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "mandatectl/" MANDATE_VERSION);
    if (!c->common->url)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
    if (c->common->tls_ca) { /* those alone: not the system's folder besides */
        curl_easy_setopt(curl, CURLOPT_CAINFO, c->common->tls_ca);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (c->common->tls_certificate)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, c->common->tls_certificate);
    if (c->common->tls_key)
        curl_easy_setopt(curl, CURLOPT_SSLKEY, c->common->tls_key);
    if (c->authorization.len)
        headers = curl_slist_append(headers, buf_cstr(&c->authorization));
    if (strcmp(method, "POST") == 0) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len ? body.ptr : "");
    } else if (strcmp(method, "GET") != 0) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    c->code = (int)code;
    curl_slist_free_all(headers);
    buf_deinit(&url);
    return result;
}

/* The server's own words: {"error":{"status","message","line","column"}}, or plain text. */
static void tell_refusal(const client *c)
{
    cel_value error = json_member(c->value, "error");
    mandate_slice status = json_member_text(error, "status"), message = json_member_text(error, "message");
    int64_t line = json_member_int(error, "line", 0);
    size_t len = c->body.len;
    if (line)
        out_problem("%.*s: line %lld, column %lld: %.*s", MANDATE_SLICE_ARG(status), (long long)line,
                    (long long)json_member_int(error, "column", 0), MANDATE_SLICE_ARG(message));
    else if (message.len)
        out_problem("%.*s: %.*s", MANDATE_SLICE_ARG(status), MANDATE_SLICE_ARG(message));
    else if (len && len < 2048)
        out_problem("the server answered %d: %.*s", c->code, (int)(c->body.data[len - 1] == '\n' ? len - 1 : len),
                    c->body.data);
    else
        out_problem("the server answered %d", c->code);
}

static exit_code code_of(int http)
{
    if (http >= 200 && http < 300)
        return CLI_OK;
    if (http == 503)
        return CLI_UNREACHABLE;
    return http >= 400 && http < 500 ? CLI_REFUSED : http == 501 ? CLI_REFUSED : CLI_INTERNAL;
}

static exit_code call(client *c, const char *method, const char *path, mandate_slice body, bool quiet_404, bool raw)
{
    mandate_error err;
    CURLcode result = perform(c, method, path, body);
    if (result != CURLE_OK) {
        out_problem("cannot reach the server at %s: %s; is mandated running? (--socket, --url)",
                    c->common->url ? c->common->url : c->socket, curl_easy_strerror(result));
        return CLI_UNREACHABLE;
    }
    arena_reset(&c->a);
    c->value = cel_null();
    bool parsed =
        !(raw && c->code == 200) && c->body.len && !json_value_parse(&c->value, &c->a, buf_slice(&c->body), REPLY_MAX, &err);
    exit_code code = code_of(c->code);
    if (code != CLI_OK) {
        if (!quiet_404 || c->code != 404)
            tell_refusal(c);
        return code;
    }
    if (raw)
        return CLI_OK;
    if (!parsed) {
        out_problem("the server's answer is not JSON: %s", c->body.len ? err.text : "it is empty");
        return CLI_INTERNAL;
    }
    return CLI_OK;
}

exit_code client_call(client *c, const char *method, const char *path, mandate_slice body)
{
    return call(c, method, path, body, false, false);
}

exit_code client_try(client *c, const char *method, const char *path)
{
    return call(c, method, path, mandate_slice_of("", 0), true, false);
}

exit_code client_fetch(client *c, const char *path, bool quiet_404)
{
    return call(c, "GET", path, mandate_slice_of("", 0), quiet_404, true);
}

exit_code client_print_json(const client *c)
{
    bool newline = c->body.len && c->body.data[c->body.len - 1] == '\n';
    bool written = fwrite(c->body.data, 1, c->body.len, stdout) == c->body.len && (newline || putchar('\n') != EOF);
    return written ? CLI_OK : CLI_INTERNAL;
}

static exit_code show_answer(const arg_common *common, const char *method, const char *path, mandate_slice body,
                             void (*show)(client *c))
{
    client c;
    exit_code code = client_open(&c, common);
    if (code == CLI_OK)
        code = client_call(&c, method, path, body);
    if (code == CLI_OK && common->json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        show(&c);
    client_close(&c);
    return code;
}

exit_code client_show(const arg_common *common, const char *path, void (*show)(client *c))
{
    return show_answer(common, "GET", path, mandate_slice_of("", 0), show);
}

exit_code client_post(const arg_common *common, const char *path, mandate_slice body, void (*show)(client *c))
{
    return show_answer(common, "POST", path, body, show);
}

void path_segment(buf *path, mandate_slice segment)
{
    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.ptr[i];
        bool plain =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '~';
        if (plain || (c == '.' && segment.len > 2)) /* libcurl would resolve "." and ".." */
            buf_put_char(path, (char)c);
        else
            buf_printf(path, "%%%02X", c);
    }
}

void path_query(buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_put_char(path, memchr(path->data, '?', path->len) ? '&' : '?');
    buf_printf(path, "%s=", name);
    path_segment(path, mandate_slice_str(value));
}
