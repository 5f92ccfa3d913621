/* SPDX-License-Identifier: Apache-2.0 */
/* disclose - see the header. Digests stand sorted, so that their order tells nothing of what they stand for. */
#include "connectors/token/disclose.h"

#include "connectors/token/base64url.h"
#include "connectors/token/canonical.h"
#include "connectors/token/sd_jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

enum { SALT = 16 };

typedef struct cutting {
    disclose_cut *out;
    arena *a;
    const claims *c;
    uint32_t version;
    const disclose_key *key;
    mandate_error *err;
} cutting;

static mandate_status no_memory(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "out of memory for what a token restricts");
}

/* --- salts -------------------------------------------------------------------------------------------------------- */
mandate_status disclose_mac(uint8_t out[DISCLOSE_MAC], const disclose_key *key, const char *what, const buf *about,
                            mandate_error *err)
{
    unsigned int len = 0;
    buf b;
    if (!key)
        return mandate_error_set(err, MANDATE_UNSUPPORTED,
                                 "what restricts something cannot be signed without a secret for it");
    buf_init(&b);
    wire_put_bytes(&b, mandate_slice_str(what));
    buf_put_slice(&b, buf_slice(about));
    bool ok = !b.failed && !about->failed &&
              HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), (const unsigned char *)b.data, b.len, out, &len) &&
              len == DISCLOSE_MAC;
    buf_deinit(&b);
    return ok ? MANDATE_OK : no_memory(err);
}

static mandate_status salt_of(mandate_slice *out, arena *a, const disclose_key *key, const char *what, const buf *about,
                              mandate_error *err)
{
    uint8_t bytes[DISCLOSE_MAC];
    buf text;
    mandate_status status = disclose_mac(bytes, key, what, about, err);
    if (status)
        return status;
    buf_init(&text);
    base64url_put(&text, bytes, SALT);
    *out = text.failed ? mandate_slice_of(NULL, 0) : arena_dup(a, buf_slice(&text));
    buf_deinit(&text);
    return out->ptr ? MANDATE_OK : no_memory(err);
}

uint32_t disclose_members(const claims *c)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < c->disclosure_count; i++)
        bits |= UINT32_C(1) << c->disclosures[i].member;
    return bits;
}

mandate_status disclose_authority_salt(mandate_slice *out, arena *a, const claims *c, const disclose_key *key,
                                       mandate_error *err)
{
    buf about;
    *out = mandate_slice_of("", 0);
    if (!(disclose_members(c) & ~DISCLOSE_NO_AUTHORITY))
        return MANDATE_OK;
    buf_init(&about);
    claims_encode(&about, c);
    mandate_status status = salt_of(out, a, key, "mandated: salt of an authority", &about, err);
    buf_deinit(&about);
    return status;
}

static mandate_status value_salt(mandate_slice *out, const cutting *x, mandate_slice path, cel_value value)
{
    buf about;
    buf_init(&about);
    wire_put_bytes(&about, x->c->issuer);
    wire_put_bytes(&about, x->c->id);
    wire_put_i64(&about, x->c->issued_at_us);
    wire_put_u64(&about, x->version);
    wire_put_bytes(&about, path);
    mandate_status status = canonical_put(&about, value, x->err);
    if (!status)
        status = salt_of(out, x->a, x->key, "mandated: salt of a disclosure", &about, x->err);
    buf_deinit(&about);
    return status;
}

/* --- cutting ------------------------------------------------------------------------------------------------------ */
/* `name` NULL: an entry of a list. The digest, and the disclosure among all. */
static mandate_status cut_one(mandate_slice *digest, const cutting *x, const claims_disclosure *rule, mandate_slice path,
                              const mandate_slice *name, cel_value value)
{
    mandate_slice salt;
    disclose_one *one = &x->out->all[x->out->count];
    mandate_status status = value_salt(&salt, x, path, value);
    if (!status)
        status = sd_disclosure(&one->text, x->a, salt, name, value, x->err);
    if (status)
        return status;
    one->rule = rule;
    x->out->count++;
    *digest = sd_digest(x->a, one->text);
    return digest->len ? MANDATE_OK : no_memory(x->err);
}

/* An object that is being put together: what stays, and digests. */
typedef struct object {
    cel_entry *entries;
    cel_value *digests;
    uint32_t count, digest_count;
} object;

static bool object_init(object *o, arena *a, uint32_t len)
{
    *o = (object){ARENA_ARRAY(a, cel_entry, (size_t)len + 4), ARENA_ARRAY(a, cel_value, (size_t)len + 2), 0, 0};
    return o->entries && o->digests;
}

static void keep(object *o, cel_value name, cel_value value) { o->entries[o->count++] = (cel_entry){name, value}; }

static mandate_status hide(object *o, const cutting *x, const claims_disclosure *rule, mandate_slice path,
                           mandate_slice name, cel_value value)
{
    mandate_slice digest;
    mandate_status status = cut_one(&digest, x, rule, path, &name, value);
    if (!status)
        o->digests[o->digest_count++] = cel_string(digest);
    return status;
}

static int by_text(const void *x, const void *y)
{
    return mandate_slice_cmp(cel_text(*(const cel_value *)x), cel_text(*(const cel_value *)y));
}

static cel_value object_value(object *o)
{
    if (o->digest_count) {
        qsort(o->digests, o->digest_count, sizeof(*o->digests), by_text);
        keep(o, cel_string(mandate_slice_str("_sd")), cel_list(o->digests, o->digest_count));
    }
    return cel_map(o->entries, o->count);
}

/* The rule of exactly this path. */
static const claims_disclosure *rule_of(const claims *c, mandate_slice path)
{
    claims_disclosure d = {.member = MEMBER_COUNT};
    if (!disclosure_parse(&d.member, &d.part, path))
        return NULL;
    for (uint32_t i = 0; i < c->disclosure_count; i++)
        if (disclosure_cmp(&c->disclosures[i], &d) == 0)
            return &c->disclosures[i];
    return NULL;
}

static mandate_slice path_below(const cutting *x, mandate_slice path, mandate_slice name)
{
    return path.len ? arena_printf(x->a, "%.*s.%.*s", MANDATE_SLICE_ARG(path), MANDATE_SLICE_ARG(name)) : name;
}

static mandate_status cut_list(cel_value *out, const cutting *x, mandate_slice path, cel_value v)
{
    cel_value *items = ARENA_ARRAY(x->a, cel_value, v.len + 1);
    if (!items)
        return no_memory(x->err);
    for (uint32_t i = 0; i < v.len; i++) {
        mandate_slice own = path_below(x, path, cel_text(v.items[i])), digest;
        const claims_disclosure *rule = own.ptr ? rule_of(x->c, own) : NULL;
        items[i] = v.items[i];
        if (!own.ptr)
            return no_memory(x->err);
        if (!rule)
            continue;
        mandate_status status = cut_one(&digest, x, rule, own, NULL, v.items[i]);
        if (status)
            return status;
        items[i] = sd_entry(x->a, digest);
        if (items[i].kind == CEL_NULL)
            return no_memory(x->err);
    }
    *out = cel_list(items, v.len);
    return MANDATE_OK;
}

static bool has_parts(const claims *c, mandate_slice path)
{
    claims_disclosure d = {.member = MEMBER_COUNT};
    if (!disclosure_parse(&d.member, &d.part, path) || d.part.len)
        return false;
    for (uint32_t i = 0; i < c->disclosure_count; i++)
        if (c->disclosures[i].member == d.member)
            return true;
    return false;
}

static mandate_status cut_object(object *o, const cutting *x, mandate_slice path, cel_value v);

static mandate_status cut_member(object *o, const cutting *x, mandate_slice path, cel_value name, cel_value v)
{
    mandate_slice own = path_below(x, path, cel_text(name));
    const claims_disclosure *rule = own.ptr ? rule_of(x->c, own) : NULL;
    mandate_status status = own.ptr ? MANDATE_OK : no_memory(x->err);
    object below;
    if (status)
        return status;
    if (rule)
        return hide(o, x, rule, own, cel_text(name), v);
    if (v.kind == CEL_LIST && has_parts(x->c, own))
        status = cut_list(&v, x, own, v);
    if (v.kind == CEL_MAP && (has_parts(x->c, own) || (!path.len && mandate_slice_is(own, "scope")))) {
        status = cut_object(&below, x, own, v);
        if (!status)
            v = object_value(&below);
    }
    if (!status)
        keep(o, name, v);
    return status;
}

static mandate_status cut_object(object *o, const cutting *x, mandate_slice path, cel_value v)
{
    mandate_status status = object_init(o, x->a, v.len) ? MANDATE_OK : no_memory(x->err);
    for (uint32_t i = 0; i < v.len && !status; i++)
        status = cut_member(o, x, path, v.map[i].key, v.map[i].value);
    return status;
}

/* ["purpose", "scope.limits"]: what may be missing, for a verifier to know what it does not know. */
static mandate_status keep_restricted(object *o, const cutting *x)
{
    cel_value *names = ARENA_ARRAY(x->a, cel_value, MEMBER_COUNT);
    const uint32_t members = disclose_members(x->c);
    uint32_t n = 0;
    if (!names)
        return no_memory(x->err);
    for (int m = 0; m < MEMBER_COUNT; m++)
        if (members >> m & 1)
            names[n++] = cel_string(mandate_slice_str(claims_member_name((claims_member)m)));
    keep(o, cel_string(mandate_slice_str("restricted")), cel_list(names, n));
    return MANDATE_OK;
}

mandate_status disclose_cut_out(disclose_cut *out, arena *a, const claims *c, cel_value mandate, cel_value handles,
                                uint32_t version, const disclose_key *key, mandate_error *err)
{
    const cutting x = {out, a, c, version, key, err};
    mandate_slice salt;
    object o;
    out->count = 0;
    mandate_status status = disclose_authority_salt(&salt, a, c, key, err);
    if (!status)
        status = cut_object(&o, &x, mandate_slice_of("", 0), mandate);
    if (!status && salt.len)
        status = hide(&o, &x, NULL, mandate_slice_str(DISCLOSE_SALT_NAME), mandate_slice_str(DISCLOSE_SALT_NAME),
                      cel_string(salt));
    if (!status)
        status = keep_restricted(&o, &x);
    if (!status && handles.kind == CEL_MAP)
        keep(&o, cel_string(mandate_slice_str("handles")), handles);
    if (!status)
        out->mandate = object_value(&o);
    return status;
}

void disclose_put(buf *out, const claims *c, const disclose_cut *cut, const disclosure_viewer *who)
{
    const bool whole = !(disclosure_hidden(c->disclosures, c->disclosure_count, who) & ~DISCLOSE_NO_AUTHORITY);
    buf_put_char(out, '~');
    for (uint32_t i = 0; i < cut->count; i++) {
        if (cut->all[i].rule ? !disclosure_shows(cut->all[i].rule, who) : !whole)
            continue;
        buf_put_slice(out, cut->all[i].text);
        buf_put_char(out, '~');
    }
}
