/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - which keys a policy file may have, and what each means. Files are checked against these tables;
 * schemas/policy.schema.json is compared with them by a test.
 */
#include "connectors/policy/policy_int.h"

#define TABLE(name, text, ...)                           \
    static const yaml_key name##_list[] = {__VA_ARGS__}; \
    const policy_keys name = {text, name##_list, sizeof(name##_list) / sizeof(*name##_list)}

TABLE(policy_file_keys, "the policy file", {"policy", "string", true, "name of this policy, for the log"},
      {"issuers", "list of maps", false, "whose tokens (JWT) are believed"},
      {"principals", "list of maps", false, "which roles whom is bound to"},
      {"roles", "map of lists", true, "what each role may do: a list of rules"},
      {"forbid", "list of maps", false, "rules that win over whatever permits"});

TABLE(policy_issuer_keys, "an issuer", {"issuer", "string", true, "exactly the `iss` of its tokens"},
      {"audience", "string or list of strings", true, "one of these must be in `aud`: what we are called there"},
      {"jwks", "path or https URL", true, "its public keys, a JWK Set"},
      {"prefix", "string", true, "what the names of its principals begin with, such as \"user:\""},
      {"subject", "expression", false, "string over `claims`: what follows the prefix; default claims.sub"},
      {"when", "expression", false, "bool over `claims`: which tokens of it this entry is for; default all"},
      {"types", "string or list of strings", false, "accepted `typ`; default at+jwt"},
      {"algorithms", "string or list of strings", false, "accepted `alg` of EdDSA, ES256 and RS256; default all three"},
      {"clients", "string or list of strings", false, "accepted `azp` (or `client_id`); default any"},
      {"max_age", "duration", false, "longest time from `iat` to `exp`; default 24h"},
      {"leeway", "duration", false,
       "how far `nbf` and `iat` may lie ahead of our clock; default 30s. `exp` is never stretched"},
      {"refresh", "duration", false, "how often the URL is asked for keys; default 5m"},
      {"ca", "path", false, "certificates to trust for the URL, PEM; default the system's"});

TABLE(policy_principal_keys, "a principal",
      {"match", "expression", true, "bool over `principal`: whom this entry is about; every entry that matches counts"},
      {"roles", "string or list of strings", false, "the roles it is bound to"},
      {"name", "string", false, "what it is called from now on, instead of uid:1000 and the like; the first entry's counts"},
      {"speaks_for", "pattern or list of patterns", false,
       "names that this process on the Unix socket may act for, by X-Mandate-Principal"});

TABLE(policy_permit_keys, "a rule", {"powers", "string or list of strings", true, "what it permits"},
      {"when", "expression", false, "bool over `principal`, `mandate`, `request` and `now`; default always"},
      {"in_name_of", "pattern or list of patterns", false,
       "issue, delegate, widen, supersede: grantors in whose name it may be done, beside the principal's own"},
      {"events", "pattern or list of patterns", false, "assert_event: which type.attribute may be set; required for it"},
      {"two_person", "bool", false, "another principal who may decide has to agree"},
      {"name", "string", false, "what the rule is called in explanations; default role and number"});

TABLE(policy_forbid_keys, "a rule", {"powers", "string or list of strings", true, "what it forbids"},
      {"roles", "string or list of strings", false, "whom; default everybody"},
      {"when", "expression", false, "bool over `principal`, `mandate`, `request` and `now`; default always"},
      {"because", "string", false, "what whoever is refused is told"},
      {"name", "string", false, "what the rule is called in explanations; default forbid and number"});
