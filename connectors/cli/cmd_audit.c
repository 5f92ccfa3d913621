/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit checkpoint | key | entries | proof - what the record says, and proofs of it; backup.
 *
 * Whatever is proved is verified here before it is shown when --key is given: without it the server is believed.
 */
#include "connectors/cli/audit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/audit/checkpoint.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "engine/base/base64.h"
#include "mandate/audit.h"

static exit_code get(client *c, const arg_common *common, const char *path)
{
    exit_code code = client_open(c, common);
    return code ? code : client_call(c, "GET", path, mandate_slice_of("", 0));
}

static int print_text(const arg_common *common, const char *path)
{
    client c;
    exit_code code = client_open(&c, common);
    if (code == CLI_OK)
        code = client_fetch(&c, path, false);
    if (code == CLI_OK && fwrite(c.body.data, 1, c.body.len, stdout) != c.body.len)
        code = CLI_INTERNAL;
    client_close(&c);
    return code;
}

/* --- the key --------------------------------------------------------------------------------------------------- */
bool audit_key(buf *out, const char *given)
{
    mandate_error err;
    buf_init(out);
    if (strchr(given, '+')) {
        buf_put_str(out, given);
        return true;
    }
    if (input_read(out, given, 4096, &err)) {
        out_problem("--key: %s (expected a verifier key name+id+base64, or a file with one)", err.text);
        return false;
    }
    while (out->len && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == ' '))
        out->len--;
    return true;
}

static bool verified(const buf *note, const buf *key, mandate_audit_checkpoint *out)
{
    mandate_error err;
    mandate_slice k = buf_slice(key);
    if (mandate_audit_checkpoint_verify(out, buf_slice(note), &k, 1, &err) == MANDATE_OK)
        return true;
    out_problem("the checkpoint does not verify: %s", err.text);
    return false;
}

int cmd_audit_key(int argc, char **argv)
{
    arg_common common;
    const char *none[1];
    return args_parse(argc, argv, &common, NULL, 0, none, 0, 0) ? print_text(&common, "/v1/audit/key") : CLI_REFUSED;
}

/* --- checkpoint -------------------------------------------------------------------------------------------------- */
int cmd_audit_checkpoint(int argc, char **argv)
{
    arg_common common;
    const char *none[1], *given = NULL;
    const arg_option options[] = {{.name = "--key", .value = &given}};
    mandate_audit_checkpoint cp;
    client c = {.curl = NULL};
    buf key;
    if (!args_parse(argc, argv, &common, options, 1, none, 0, 0))
        return CLI_REFUSED;
    buf_init(&key);
    exit_code code = given && !audit_key(&key, given) ? CLI_REFUSED : client_open(&c, &common);
    if (code == CLI_OK)
        code = client_fetch(&c, "/v1/audit/checkpoint", false);
    if (code == CLI_OK && given && !verified(&c.body, &key, &cp))
        code = CLI_DENIED;
    if (code == CLI_OK && fwrite(c.body.data, 1, c.body.len, stdout) != c.body.len)
        code = CLI_INTERNAL;
    client_close(&c);
    buf_deinit(&key);
    return code;
}

/* --- entries ------------------------------------------------------------------------------------------------------- */
static void show_entry(arena *a, cel_value e)
{
    buf line;
    mandate_slice event = json_member_text(e, "event"), state = json_member_text(e, "state");
    mandate_slice mandate = json_member_text(e, "mandate"), cause = json_member_text(json_member(e, "cause"), "kind");
    buf_init(&line);
    out_column(&line, OUT_DIM, arena_printf(a, "%" PRId64, json_member_int(e, "index", 0)), 8);
    out_column(&line, OUT_DIM, json_member_text(e, "time"), 27);
    out_column(&line, OUT_BOLD, event, 10);
    out_text(&line, OUT_PLAIN, mandate.len ? mandate : json_member_text(e, "watch"));
    buf_put_str(&line, "  ");
    out_text(&line, out_state_style(state), state);
    buf_put_str(&line, state.len ? "  " : "");
    out_text(&line, OUT_PLAIN, json_member_text(e, "reason"));
    buf_put_str(&line, "  ");
    out_text(&line, OUT_DIM, cause);
    mandate_slice who = json_member_text(e, "principal");
    who = who.len ? who : json_member_text(json_member(e, "cause"), "principal");
    buf_put_str(&line, who.len ? " by " : "");
    out_text(&line, OUT_DIM, who);
    buf_put_str(&line, "  ");
    out_text(&line, OUT_BAD, json_member_text(e, "error"));
    out_line(&line);
    buf_deinit(&line);
}

/* An object that stands at the beginning of `text`. */
static size_t object_length(mandate_slice text)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i];
        if (quoted && ch == '\\')
            i++;
        else if (ch == '"')
            quoted = !quoted;
        else if (!quoted && (ch == '{' || ch == '['))
            depth++;
        else if (!quoted && (ch == '}' || ch == ']') && --depth == 0)
            return i + 1;
    }
    return 0;
}

bool audit_raw_entry(mandate_slice *out, mandate_slice *rest)
{
    static const char before[] = "{\"entries\":[";
    size_t skip = rest->len > sizeof(before) && !memcmp(rest->ptr, before, sizeof(before) - 1) ? sizeof(before) - 1
                  : rest->len && rest->ptr[0] == ','                                           ? 1
                                                                                               : 0;
    mandate_slice at = mandate_slice_of(rest->ptr + skip, rest->len - skip);
    size_t len = skip && at.len && at.ptr[0] == '{' ? object_length(at) : 0;
    if (len == 0)
        return false;
    *out = mandate_slice_of(at.ptr, len);
    *rest = mandate_slice_of(at.ptr + len, at.len - len);
    return true;
}

static bool page_path(buf *path, const audit_filter *f, int64_t limit, const char *from)
{
    char number[24];
    buf_reset(path);
    buf_put_str(path, "/v1/audit/entries");
    path_query(path, "from", from);
    snprintf(number, sizeof(number), "%" PRId64, limit);
    path_query(path, "limit", number);
    path_query(path, "mandate", f->mandate);
    path_query(path, "txn", f->txn);
    path_query(path, "event", f->event);
    return !path->failed;
}

exit_code audit_entries(client *c, const audit_filter *f, int64_t limit, audit_page_fn page, void *ctx, char next[24])
{
    char from[64];
    buf path;
    int64_t left = limit;
    exit_code code = CLI_OK;
    snprintf(from, sizeof(from), "%s", f->from ? f->from : "0");
    buf_init(&path);
    while (code == CLI_OK && (limit == 0 || left > 0)) {
        if (!page_path(&path, f, limit && left < 1000 ? left : 1000, from)) {
            code = CLI_INTERNAL;
            break;
        }
        code = client_call(c, "GET", buf_cstr(&path), mandate_slice_of("", 0));
        if (code != CLI_OK)
            break;
        cel_value entries = json_member(c->value, "entries"), more = json_member(c->value, "next");
        snprintf(next, 24, "%" PRId64, json_member_int(c->value, more.kind == CEL_NULL ? "size" : "next", 0));
        left -= entries.len;
        if (!page(ctx, c, entries) || more.kind == CEL_NULL)
            break;
        snprintf(from, sizeof(from), "%s", next);
    }
    buf_deinit(&path);
    return code;
}

static bool show_page(void *ctx, client *c, cel_value entries)
{
    const arg_common *common = ctx;
    mandate_slice rest = buf_slice(&c->body), raw;
    for (uint32_t i = 0; i < entries.len; i++) {
        if (!common->json)
            show_entry(&c->a, entries.items[i]);
        else if (audit_raw_entry(&raw, &rest))
            printf("%.*s\n", MANDATE_SLICE_ARG(raw));
    }
    return !ferror(stdout);
}

int cmd_audit_entries(int argc, char **argv)
{
    arg_common common;
    audit_filter f = {.from = NULL};
    const char *none[1], *limit_text = NULL;
    const arg_option options[] = {{.name = "--from", .value = &f.from},
                                  {.name = "--limit", .value = &limit_text},
                                  {.name = "--mandate", .value = &f.mandate},
                                  {.name = "--txn", .value = &f.txn},
                                  {.name = "--event", .value = &f.event}};
    int64_t limit = 100;
    char next[24];
    client c;
    if (!args_parse(argc, argv, &common, options, 5, none, 0, 0) ||
        (limit_text && !args_number(&limit, "--limit", limit_text, 1, INT64_MAX)))
        return CLI_REFUSED;
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK)
        code = audit_entries(&c, &f, limit, show_page, &common, next);
    client_close(&c);
    return code;
}

/* --- proofs ---------------------------------------------------------------------------------------------------------- */
typedef struct proof {
    uint8_t hashes[MERKLE_PROOF_MAX * SHA256_SIZE], root[SHA256_SIZE], leaf[SHA256_SIZE];
    size_t count;
    int64_t size;
} proof;

static bool take_hash(uint8_t out[SHA256_SIZE], arena *a, cel_value v)
{
    mandate_slice raw;
    if (v.kind != CEL_STRING || !base64_read(&raw, a, BASE64_STANDARD, cel_text(v)) || raw.len != SHA256_SIZE)
        return false;
    memcpy(out, raw.ptr, SHA256_SIZE);
    return true;
}

static bool take_proof(proof *out, client *c, bool with_leaf)
{
    cel_value hashes = json_member(c->value, "proof");
    bool ok = hashes.kind == CEL_LIST && hashes.len <= MERKLE_PROOF_MAX &&
              take_hash(out->root, &c->a, json_member(c->value, "root")) &&
              (!with_leaf || take_hash(out->leaf, &c->a, json_member(c->value, "leaf")));
    out->count = hashes.kind == CEL_LIST ? hashes.len : 0;
    out->size = json_member_int(c->value, "size", -1);
    for (uint32_t i = 0; ok && i < hashes.len; i++)
        ok = take_hash(out->hashes + i * SHA256_SIZE, &c->a, hashes.items[i]);
    if (!ok)
        out_problem("the server's answer is no proof");
    return ok;
}

/* The entry itself, and that it is in the log as the checkpoint has it. */
static exit_code verify_inclusion(client *c, const arg_common *common, const char *index, const buf *key)
{
    mandate_audit_checkpoint cp;
    mandate_error err;
    proof p;
    char path[128];
    client entry = {.curl = NULL};
    uint64_t at = strtoull(index, NULL, 10);
    exit_code code = client_fetch(c, "/v1/audit/checkpoint", false);
    if (code == CLI_OK && !verified(&c->body, key, &cp))
        code = CLI_DENIED;
    snprintf(path, sizeof(path), "/v1/audit/proof/inclusion?index=%s&size=%" PRIu64, index, code ? 0 : cp.size);
    if (code == CLI_OK)
        code = client_call(c, "GET", path, mandate_slice_of("", 0));
    if (code == CLI_OK && !take_proof(&p, c, true))
        code = CLI_INTERNAL;
    snprintf(path, sizeof(path), "/v1/audit/entries?from=%s&limit=1", index);
    if (code == CLI_OK)
        code = get(&entry, common, path);
    mandate_slice text, rest = buf_slice(&entry.body);
    if (code == CLI_OK && !audit_raw_entry(&text, &rest)) {
        out_problem("the server's answer has no entry %s", index);
        code = CLI_INTERNAL;
    }
    if (code == CLI_OK && (mandate_audit_leaf_hash(p.leaf, text, &err) ||
                           mandate_audit_inclusion_verify(p.leaf, at, &cp, p.hashes, p.count, &err))) {
        out_problem("%s", err.text);
        code = CLI_DENIED;
    }
    if (code == CLI_OK)
        printf("%.*s\nis entry %s of %s, which has %" PRIu64 " entries: verified\n", MANDATE_SLICE_ARG(text), index,
               cp.origin, cp.size);
    if (entry.curl)
        client_close(&entry);
    return code;
}

static exit_code verify_consistency(client *c, const char *kept_file, const buf *key)
{
    mandate_audit_checkpoint now, kept;
    mandate_error err;
    proof p;
    char path[128];
    buf note;
    buf_init(&note);
    exit_code code = CLI_OK;
    if (input_read(&note, kept_file, NOTE_MAX, &err)) {
        out_problem("%s", err.text);
        code = CLI_REFUSED;
    }
    if (code == CLI_OK && !verified(&note, key, &kept))
        code = CLI_DENIED;
    if (code == CLI_OK)
        code = client_fetch(c, "/v1/audit/checkpoint", false);
    if (code == CLI_OK && !verified(&c->body, key, &now))
        code = CLI_DENIED;
    if (code == CLI_OK && now.size < kept.size) {
        out_problem("the log had %" PRIu64 " entries and has %" PRIu64 " now: its end was cut off", kept.size, now.size);
        code = CLI_DENIED;
    }
    if (code == CLI_OK) {
        snprintf(path, sizeof(path), "/v1/audit/proof/consistency?first=%" PRIu64 "&size=%" PRIu64, kept.size, now.size);
        code = client_call(c, "GET", path, mandate_slice_of("", 0));
    }
    if (code == CLI_OK && !take_proof(&p, c, false))
        code = CLI_INTERNAL;
    if (code == CLI_OK && mandate_audit_consistency_verify(&kept, &now, p.hashes, p.count, &err)) {
        out_problem("%s", err.text);
        code = CLI_DENIED;
    }
    if (code == CLI_OK)
        printf("the %" PRIu64 " entries of then are the first of the %" PRIu64 " of now: verified\n", kept.size, now.size);
    buf_deinit(&note);
    return code;
}

int cmd_audit_proof(int argc, char **argv)
{
    arg_common common;
    const char *index[1], *given = NULL, *kept = NULL;
    const arg_option options[] = {{.name = "--key", .value = &given}, {.name = "--since", .value = &kept}};
    int64_t number;
    char path[96];
    client c = {.curl = NULL};
    buf key;
    if (!args_parse(argc, argv, &common, options, 2, index, 0, 1) ||
        (index[0] && !args_number(&number, "INDEX", index[0], 0, INT64_MAX)))
        return CLI_REFUSED;
    if (!index[0] == !kept || (kept && !given)) {
        out_problem("audit proof takes the number of an entry, or --since FILE (a checkpoint that you kept) with --key");
        return CLI_REFUSED;
    }
    buf_init(&key);
    exit_code code = given && !audit_key(&key, given) ? CLI_REFUSED : client_open(&c, &common);
    if (code == CLI_OK && kept) {
        code = verify_consistency(&c, kept, &key);
    } else if (code == CLI_OK && given) {
        code = verify_inclusion(&c, &common, index[0], &key);
    } else if (code == CLI_OK) {
        snprintf(path, sizeof(path), "/v1/audit/proof/inclusion?index=%s", index[0]);
        code = client_call(&c, "GET", path, mandate_slice_of("", 0));
        if (code == CLI_OK)
            code = client_print_json(&c);
    }
    if (c.curl)
        client_close(&c);
    buf_deinit(&key);
    return code;
}

/* --- backup ------------------------------------------------------------------------------------------------------------ */
int cmd_backup(int argc, char **argv)
{
    arg_common common;
    const char *name[1];
    buf body;
    client c;
    if (!args_parse(argc, argv, &common, NULL, 0, name, 1, 1))
        return CLI_REFUSED;
    buf_init(&body);
    buf_put_str(&body, "{\"name\":");
    buf_put_json_string(&body, mandate_slice_str(name[0]));
    buf_put_char(&body, '}');
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK)
        code = client_call(&c, "POST", "/v1/backups", buf_slice(&body));
    if (code == CLI_OK && common.json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        printf("%.*s: step %" PRId64 ", %" PRId64 " audit entries\n", MANDATE_SLICE_ARG(json_member_text(c.value, "backup")),
               json_member_int(c.value, "seq", 0), json_member_int(c.value, "entries", 0));
    client_close(&c);
    buf_deinit(&body);
    return code;
}
