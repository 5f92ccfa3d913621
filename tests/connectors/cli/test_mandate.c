/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of `mandatectl mandate ...`: what is asked, what is shown, how it exits. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl.h"

static const char claims_text[] = "{\"id\":\"m-1\",\"grantor\":\"g\",\"agent\":\"a\",\"purpose\":"
                                  "\"p\",\"scope\":{\"actions\":[\"x\"],\"resources\":[\"*\"]},"
                                  "\"expires_at\":\"2030-01-01T00:00:00Z\"}";

#define ORIGIN                                                                               \
    "\"source\":\"crm\",\"topic\":\"crm.cdc\",\"partition\":0,\"offset\":42,\"event_time\":" \
    "\"2026-01-02T03:04:05Z\""

static const char revoked_text[] =
    "{\"mandate\":{\"id\":\"m-1\",\"grantor\":\"user:cfo\",\"agent\":\"agent:n\",\"purpose\":"
    "\"renew\","
    "\"scope\":{\"actions\":[\"contract.*\",\"mail.send\"],\"resources\":[\"crm.account/"
    "1\"],\"limits\":{\"eur\":5}},"
    "\"while\":\"w == 1\",\"params\":{\"k\":\"v\"},\"expires_at\":\"2030-01-01T00:00:00Z\"},"
    "\"state\":\"revoked\",\"version\":2,\"because\":null,\"expires_at\":\"2030-01-01T00:00:00Z\","
    "\"transition\":{\"mandate\":\"m-1\",\"version\":2,\"state\":\"revoked\",\"prior\":\"active\","
    "\"reason\":\"while_false\","
    "\"terms\":[{\"path\":\"crm.conversation[\\\"R\\\"].status\",\"observed\":true,\"value\":"
    "\"closed\"," ORIGIN "},"
    "{\"path\":\"crm.account[\\\"A\\\"].tier\",\"observed\":false}],"
    "\"cause\":{\"kind\":\"event\"," ORIGIN "}}}";

static void test_cli_issue__sends_a_file_or_standard_input(void **state)
{
    scene *s = *state;
    char path[sizeof(s->directory) + 16];
    snprintf(path, sizeof(path), "%s/claims.json", s->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(claims_text, file);
    fclose(file);
    ctl(s, 0, NULL, "mandate", "issue", path, "--json");
    assert_contains(result.out, "\"kind\":\"issue\",\"mandate\":\"m-1\"");
    assert_int_equal(unlink(path), 0);
    ctl(s, 0, claims_text, "mandate", "issue", "-", "--json");
    assert_contains(result.out, "\"kind\":\"issue\",\"mandate\":\"m-1\"");
    ctl(s, 1, NULL, "mandate", "issue", path);
    assert_contains(result.err, "cannot read");
}

static void test_cli_issue__restricts_what_the_command_line_says(void **state)
{
    scene *s = *state;
    ctl(s, 0, claims_text, "mandate", "issue", "-", "--restrict", "purpose=handle,https://a", "--json");
    assert_contains(result.out, "\"disclosure\":{\"purpose\":{\"audiences\":[\"https://a\"],\"handle\":true}}");
    /* The server reads what was put together: it misses members, and no comma. */
    ctl(s, 1, "{ }\n\n", "mandate", "issue", "-", "--restrict", "purpose");
    assert_contains(result.err, "expires_at: is missing");
    ctl(s, 1, "{\"disclosure\":{}}", "mandate", "issue", "-", "--restrict", "purpose");
    assert_contains(result.err, "without a \"disclosure\" of their own");
    ctl(s, 1, "[]", "mandate", "issue", "-", "--restrict", "purpose");
    assert_contains(result.err, "expected the claims of a mandate");
    ctl(s, 1, "{", "mandate", "issue", "-", "--restrict", "purpose");
    ctl(s, 1, claims_text, "mandate", "issue", "-", "--restrict", "purpse");
    assert_contains(result.err, "--restrict: \"purpse\" cannot be restricted");
}

static void test_cli_issue__a_refusal_is_shown_with_its_position(void **state)
{
    scene *s = *state;
    ctl(s, 1, "{\"whlie\":\"true\"}", "mandate", "issue", "-");
    assert_string_equal(result.err,
                        "mandatectl: invalid: unknown member \"whlie\" in the mandate; did you mean \"while\"?\n");
    fake_set_error(&s->fake, MANDATE_INVALID, "while: expected an operand", 1, 17);
    ctl(s, 1, claims_text, "mandate", "issue", "-");
    assert_string_equal(result.err, "mandatectl: invalid: line 1, column 17: while: expected an operand\n");
    assert_string_equal(result.out, "");
}

static void test_cli_get__shows_the_mandate_and_its_evidence(void **state)
{
    scene *s = *state;
    s->fake.bodies[SERVICE_GET] = revoked_text;
    ctl(s, 0, NULL, "mandate", "get", "m-1");
    assert_string_equal(result.out, "m-1  revoked  version 2\n"
                                    "  purpose       renew\n"
                                    "  grantor       user:cfo\n"
                                    "  agent         agent:n\n"
                                    "  actions       contract.*, mail.send\n"
                                    "  resources     crm.account/1\n"
                                    "  limits        {\"eur\":5}\n"
                                    "  while         w == 1\n"
                                    "  params        {\"k\":\"v\"}\n"
                                    "  expires       2030-01-01T00:00:00Z\n"
                                    "  last          while_false  crm.cdc/0@42  2026-01-02T03:04:05Z\n"
                                    "    crm.conversation[\"R\"].status = closed  crm.cdc/0@42  2026-01-02T03:04:05Z\n"
                                    "    crm.account[\"A\"].tier = unknown\n");
    ctl(s, 0, NULL, "mandate", "get", "--json", "m-1");
    assert_memory_equal(result.out, revoked_text, strlen(revoked_text));
}

static void test_cli_get__what_is_not_there_or_not_reachable_has_its_exit_code(void **state)
{
    scene *s = *state;
    fake_set_error(&s->fake, MANDATE_NOT_FOUND, "there is no mandate m-9", 0, 0);
    ctl(s, 1, NULL, "mandate", "get", "m-9");
    assert_string_equal(result.err, "mandatectl: not_found: there is no mandate m-9\n");
    fake_set_error(&s->fake, MANDATE_IO, "disk", 0, 0);
    ctl(s, 70, NULL, "mandate", "get", "m-9");
    fake_set_mode(&s->fake, FAKE_FULL);
    ctl(s, 2, NULL, "mandate", "get", "m-9");
    ctl_alone(2, NULL, "mandate", "get", "m-9", "--socket", "/nonexistent/socket");
    assert_contains(result.err, "is mandated running?");
    ctl_alone(1, NULL, "mandate", "get", "m-9", "--url", "ftp://x");
    ctl_alone(1, NULL, "mandate", "get", "m-9", "--url", "http://x", "--socket", "x");
}

static void test_cli_get__an_id_reaches_the_server_as_it_was_typed(void **state)
{
    static const char *const ids[] = {"a/b", "..", ".", "a b", "x?y=z&w#f", "%41", "caf\xC3\xA9", "-"};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        char expected[64];
        snprintf(expected, sizeof(expected), "{\"kind\":\"get\",\"mandate\":\"%s\"}", ids[i]);
        ctl(s, 0, NULL, "mandate", "get", "--json", ids[i]);
        assert_contains(result.out, expected);
    }
}

static void test_cli_get__works_over_tcp_too(void **state)
{
    scene *s = *state;
    char url[64];
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_server_port(s->server));
    ctl_alone(0, NULL, "mandate", "revoke", "m-1", "--url", url, "--reason", "x", "--json");
    assert_contains(result.out, "\"principal\":\"anonymous@loopback\"");
}

static void test_cli_get__nothing_from_elsewhere_drives_the_terminal(void **state)
{
    scene *s = *state;
    s->fake.bodies[SERVICE_GET] = "{\"mandate\":{\"id\":\"m-1\",\"purpose\":\"a\\u001b[31mb\\u009bc\\nd\\u202ee\\u007f\"},"
                                  "\"state\":\"active\",\"version\":1}";
    ctl(s, 0, NULL, "mandate", "get", "m-1");
    assert_string_equal(result.out, "m-1  active  version 1\n"
                                    "  purpose       a\xEF\xBF\xBD[31mb\xEF\xBF\xBD"
                                    "c\xE2\x8F\x8E"
                                    "d\xEF\xBF\xBD"
                                    "e\xEF\xBF\xBD\n");
    fake_set_error(&s->fake, MANDATE_CONFLICT, "no \033]0;title\007", 0, 0);
    ctl(s, 1, NULL, "mandate", "get", "m-1");
    assert_null(strchr(result.err, '\033'));
    assert_null(strchr(result.err, '\007'));
}

static void test_cli_list__is_a_table_and_follows_the_pages(void **state)
{
    scene *s = *state;
    s->fake.bodies[SERVICE_LIST] =
        "{\"mandates\":[{\"id\":\"m-1\",\"state\":\"active\",\"version\":1,\"agent\":\"agent:long-"
        "name\",\"parent\":null,"
        "\"expires_at\":\"2030-01-01T00:00:00Z\"},{\"id\":\"mandate-2\",\"state\":\"suspended\","
        "\"version\":12,\"agent\":\"b\","
        "\"parent\":\"m-1\",\"expires_at\":\"2031-01-01T00:00:00Z\"}],\"next\":null}";
    ctl(s, 0, NULL, "mandate", "list");
    assert_string_equal(result.out, "ID         STATE      VERSION  AGENT            EXPIRES               PARENT\n"
                                    "m-1        active     1        agent:long-name  2030-01-01T00:00:00Z\n"
                                    "mandate-2  suspended  12       b                2031-01-01T00:00:00Z  m-1\n");
    ctl(s, 0, NULL, "mandate", "list", "--json");
    assert_contains(result.out, "}\n{"); /* an object a line */
    /* This server has a next page for ever; the limit ends it, after two pages. */
    s->fake.submits = 0;
    s->fake.bodies[SERVICE_LIST] = "{\"mandates\":[{\"id\":\"m-1\",\"state\":\"active\",\"version\":1}],\"next\":\"m-1\"}";
    ctl(s, 0, NULL, "mandate", "list", "--limit", "2", "--state", "active", "--agent", "a", "--parent", "p");
    assert_int_equal(s->fake.submits, 2);
    ctl(s, 1, NULL, "mandate", "list", "--limit", "0");
    ctl(s, 1, NULL, "mandate", "list", "--state", "dead");
    assert_contains(result.err, "expected active, suspended");
}

static void test_cli_watches__go_to_their_resource(void **state)
{
    scene *s = *state;
    ctl(s, 0, NULL, "watch", "add", "--id", "w/1", "a.b[\"x\"].c", "--json");
    assert_contains(result.out, "\"kind\":\"watch\",\"mandate\":\"w/1\"");
    assert_contains(result.out, "\"condition\":\"a.b[\\\"x\\\"].c\"");
    ctl(s, 0, NULL, "watch", "get", "w/1", "--json");
    assert_contains(result.out, "{\"kind\":\"watch_get\",\"mandate\":\"w/1\"}");
    ctl(s, 0, NULL, "watch", "remove", "w/1", "--json");
    assert_contains(result.out, "\"kind\":\"unwatch\",\"mandate\":\"w/1\"");
    s->fake.bodies[SERVICE_WATCH] = "{\"id\":\"w-1\",\"condition\":\"t.x[\\\"a\\\"].b\",\"value\":\"unknown\",\"version\":1,"
                                    "\"unobservable\":[\"t.x.b\"]}";
    ctl(s, 0, NULL, "watch", "add", "t.x[\"a\"].b");
    assert_string_equal(result.out, "w-1  unknown  v1  t.x[\"a\"].b\n  no connector supplies t.x.b\n");
    s->fake.bodies[SERVICE_WATCH_LIST] =
        "{\"watches\":[{\"id\":\"w-1\",\"condition\":\"true\",\"value\":\"true\",\"version\":"
        "3,\"changed_at\":\"2030-01-01T00:00:00Z\"}],\"next\":null}";
    ctl(s, 0, NULL, "watch", "list");
    assert_string_equal(result.out, "ID   VALUE  VERSION  SINCE                 CONDITION\n"
                                    "w-1  true   3        2030-01-01T00:00:00Z  true\n");
    fake_set_error(&s->fake, MANDATE_NOT_FOUND, "there is no watch w-9", 0, 0);
    ctl(s, 1, NULL, "watch", "remove", "w-9");
    assert_contains(result.err, "there is no watch w-9");
}

static void test_cli_control__passes_the_reason_on(void **state)
{
    static const char *const verbs[] = {"revoke", "suspend", "resume", "return"};
    scene *s = *state;
    for (size_t i = 0; i < 4; i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), "\"principal\":\"uid:%u\",\"note\":\"it \\\"ended\\\"\"", (unsigned)getuid());
        ctl(s, 0, NULL, "mandate", verbs[i], "m-1", "--reason=it \"ended\"", "--json");
        assert_contains(result.out, verbs[i]);
        assert_contains(result.out, expected);
        ctl(s, 0, NULL, "mandate", verbs[i], "m-1", "--json");
        assert_null(strstr(result.out, "note"));
        ctl(s, 0, NULL, "mandate", verbs[i], "m-1", "--if-version", "7", "--reason", "x", "--json");
        assert_contains(result.out, "\"note\":\"x\",\"if_version\":7");
        ctl(s, 1, NULL, "mandate", verbs[i], "m-1", "--if-version", "0");
    }
    ctl(s, 0, NULL, "mandate", "suspend", "m-1", "--until", "2030-01-01T00:00:00Z", "--json");
    assert_contains(result.out, "\"until\":1893456000000000");
    ctl(s, 1, NULL, "mandate", "revoke", "m-1", "--until", "2030-01-01T00:00:00Z");
}

static void test_cli_delegate__sends_what_was_said(void **state)
{
    scene *s = *state;
    ctl(s, 0, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--id", "m-2", "--action", "x.*", "--action", "y",
        "--resource", "t/1", "--limit", "eur=1.50", "--limit", "n=2", "--expires", "2030-01-01T00:00:00Z", "--audience", "b",
        "--max-depth", "0", "--max-children", "3", "--allowed-agent", "c", "--while", "true", "--until", "false",
        "--suspend-while", "1 > 2", "--purpose", "p q", "--json");
    assert_contains(result.out, "\"mandate\":\"m-1\"");
    assert_contains(
        result.out,
        "{\"id\":\"m-2\",\"agent\":\"a\",\"purpose\":\"p q\",\"scope\":{\"actions\":[\"x.*\",\"y\"],\"resources\":"
        "[\"t/1\"],\"limits\":{\"eur\":1.5,\"n\":2}},\"while\":\"true\",\"until\":\"false\",\"suspend_while\":\"1 > 2\","
        "\"audience\":[\"b\"],\"max_depth\":0,\"delegation\":{\"max_children\":3,\"allowed_agents\":[\"c\"]}");
    ctl(s, 0, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--restrict", "purpose=handle", "--restrict",
        "scope.limits.eur=b,https://c.*", "--restrict", "while", "--json");
    assert_contains(result.out, "\"disclosure\":{\"purpose\":{\"handle\":true},\"scope.limits.eur\":{\"audiences\":"
                                "[\"b\",\"https://c.*\"]},\"while\":{\"audiences\":[]}}");
    ctl(s, 0, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--require", "action.soft=true", "--require",
        "resource.region=us", "--limit", "eur=1", "--require", "resource.region=eu", "--require", "context.n=\"7\"",
        "--require", "resource.region=7", "--json");
    assert_contains(result.out,
                    "\"require\":{\"action.soft\":[true],\"context.n\":[\"7\"],\"resource.region\":[7,\"eu\",\"us\"]}");
    ctl(s, 1, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--require", "action.soft");
    assert_contains(result.err, "--require: expected NAME=VALUE, such as action.soft=true or resource.region=eu, got");
    ctl(s, 1, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--require", "=true");
    ctl(s, 1, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--restrict", "agent=b");
    assert_contains(result.err, "--restrict: \"agent\" cannot be restricted; expected PATH");
    ctl(s, 1, NULL, "mandate", "delegate", "m-1");
    assert_contains(result.err, "needed: --agent A");
    ctl(s, 1, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--limit", "eur");
    assert_contains(result.err, "--limit: expected NAME=NUMBER, got \"eur\"");
    ctl(s, 1, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--limit", "eur=\"1\"");
    ctl(s, 1, NULL, "mandate", "delegate", "m-1", "--agent", "a", "--max-depth", "1001");
}

static void test_cli_amend__sends_what_changes_and_how(void **state)
{
    scene *s = *state;
    ctl(s, 0, NULL, "mandate", "amend", "m-1", "--limit", "eur=5", "--if-version", "4", "--reason", "why", "--widen",
        "--cascade", "--json");
    assert_contains(result.out, "\"note\":\"why\",\"if_version\":4,\"widen\":true,\"cascade\":true,\"claims\":");
    assert_contains(result.out, "\"limits\":{\"eur\":5}");
    ctl(s, 1, NULL, "mandate", "amend", "m-1", "--agent", "a");
    ctl(s, 1, NULL, "mandate", "amend", "m-1", "--limit", "eur=5", "--if-version", "0");
}

static void test_cli_spend__sends_the_amount_as_it_was_typed(void **state)
{
    scene *s = *state;
    ctl(s, 0, NULL, "mandate", "spend", "m-1", "eur", "1.50", "--key", "k", "--json");
    assert_contains(result.out, "\"budget\":\"eur\",\"key\":\"k\",\"amount\":\"1.5\"");
    ctl(s, 0, NULL, "mandate", "unspend", "m-1", "--key", "k", "--json");
    assert_contains(result.out, "\"kind\":\"unspend\"");
    ctl(s, 1, NULL, "mandate", "spend", "m-1", "eur", "1.50");
    assert_contains(result.err, "needed: --key K");
    ctl(s, 1, NULL, "mandate", "spend", "m-1", "eur", "--key", "k");
    s->fake.bodies[SERVICE_SPEND] = "{\"mandate\":\"m-2\",\"name\":\"eur\",\"amount\":5,\"key\":\"k\",\"repeated\":false,"
                                    "\"budgets\":[{\"mandate\":\"m-2\",\"max\":9,\"spent\":5,\"left\":4},"
                                    "{\"mandate\":\"m-1\",\"max\":9,\"spent\":\"5.5\",\"left\":\"3.5\"}],\"left\":\"3.5\"}";
    ctl(s, 0, NULL, "mandate", "spend", "m-2", "eur", "5", "--key", "k");
    assert_string_equal(result.out, "eur  left 3.5\n  m-2  left 4\n  m-1  left 3.5\n");
}

static void test_cli_explain__draws_the_tree_with_what_each_term_read(void **state)
{
    scene *s = *state;
    s->fake.bodies[SERVICE_EXPLAIN] =
        "{\"mandate\":\"m-1\",\"state\":\"suspended\",\"version\":3,\"because\":\"m-0\","
        "\"clauses\":["
        "{\"clause\":\"while\",\"text\":\"a && (b || "
        "!c)\",\"value\":\"unknown\",\"tree\":{\"op\":\"and\",\"text\":\"a && (b || !c)\","
        "\"value\":\"unknown\",\"children\":["
        "{\"op\":\"term\",\"text\":\"a\",\"value\":\"true\",\"reads\":[{\"path\":\"t[1].a\","
        "\"value\":7," ORIGIN "}]},"
        "{\"op\":\"or\",\"text\":\"b || !c\",\"value\":\"unknown\",\"children\":["
        "{\"op\":\"term\",\"text\":\"b\",\"value\":\"unknown\",\"reads\":[{\"path\":\"t[1].b\","
        "\"value\":null,\"unknown\":true}]},"
        "{\"op\":\"term\",\"text\":\"!c\",\"value\":\"false\",\"reads\":[{\"path\":\"t[1].c\","
        "\"value\":true}]}]}]}},"
        "{\"clause\":\"until\",\"text\":\"d\",\"value\":\"error\",\"tree\":{\"op\":\"term\","
        "\"text\":\"d\",\"value\":\"error\","
        "\"reads\":[{\"path\":\"t[1].d\",\"value\":\"x\"}]}}]}";
    ctl(s, 0, NULL, "mandate", "explain", "m-1");
    assert_string_equal(result.out, "m-1  suspended  version 3  because of m-0\n"
                                    "? while  a && (b || !c)\n"
                                    "  \xE2\x94\x9C\xE2\x94\x80 \xE2\x9C\x93 a\n"
                                    "  \xE2\x94\x82      t[1].a = 7  crm.cdc/0@42  2026-01-02T03:04:05Z\n"
                                    "  \xE2\x94\x94\xE2\x94\x80 ? or\n"
                                    "     \xE2\x94\x9C\xE2\x94\x80 ? b\n"
                                    "     \xE2\x94\x82      t[1].b = unknown\n"
                                    "     \xE2\x94\x94\xE2\x94\x80 \xE2\x9C\x97 !c\n"
                                    "            t[1].c = true\n"
                                    "! until  d\n"
                                    "      t[1].d = x\n");
}

static void test_cli_watch__prints_each_change_and_exits_3_when_it_ended(void **state)
{
    scene *s = *state;
    s->fake.bodies[SERVICE_GET] = revoked_text;
    ctl(s, 3, NULL, "mandate", "watch", "m-1");
    assert_string_equal(result.out, "m-1  revoked  v2  while_false\n");
}

/* The first question gets the first answer, and only then there is a second one. */
static void *revoke_later(void *ctx)
{
    scene *s = ctx;
    fake_await_held(&s->fake, 1);
    fake_release(&s->fake);
    pthread_mutex_lock(&s->fake.lock);
    s->fake.bodies[SERVICE_GET] = revoked_text;
    pthread_mutex_unlock(&s->fake.lock);
    fake_set_mode(&s->fake, FAKE_NOW);
    return NULL;
}

static void test_cli_watch__shows_the_way_from_state_to_state(void **state)
{
    scene *s = *state;
    pthread_t thread;
    s->fake.bodies[SERVICE_GET] = "{\"mandate\":{\"id\":\"m-1\"},\"state\":\"active\",\"version\":1,"
                                  "\"transition\":{\"reason\":\"issued\"}}";
    fake_set_mode(&s->fake, FAKE_HOLD);
    assert_int_equal(pthread_create(&thread, NULL, revoke_later, s), 0);
    ctl(s, 3, NULL, "mandate", "watch", "m-1");
    pthread_join(thread, NULL);
    assert_string_equal(result.out, "m-1  active  v1  issued\n"
                                    "m-1  active -> revoked  v2  while_false\n");
}

static void test_cli_check__the_exit_code_is_the_decision(void **state)
{
    scene *s = *state;
    ctl(s, 0, NULL, "mandate", "check", "--mandate", "m-1", "--agent", "a-1", "--action", "contract.sign", "--resource",
        "crm.account/47/11", "--param", "eur=5", "--param", "note=five \"5\"", "--param", "ok=true", "--param", "n=\"7\"");
    assert_string_equal(s->fake.checked, "m-1|agent|a-1|contract.sign|crm.account/47/11|"
                                         "{\"eur\":5,\"n\":\"7\",\"note\":\"five \\\"5\\\"\",\"ok\":true}");
    assert_string_equal(result.out, "permit  ok  permitted\n");
    s->fake.verdict =
        (service_verdict){.reason = "mandate_inactive", .text = "it ended", .state = STATE_REVOKED, .because = "m-0"};
    ctl(s, 3, NULL, "mandate", "check", "--mandate=m-1", "--agent=a", "--action=x", "--resource=t/i");
    assert_string_equal(result.out, "deny  mandate_inactive  it ended  because of m-0\n");
    ctl(s, 3, NULL, "mandate", "check", "--mandate=m-1", "--agent=a", "--action=x", "--resource=t/i", "--json");
    assert_contains(result.out, "{\"decision\":false");
    ctl(s, 3, NULL, "mandate", "check", "--agent=a", "--action=x", "--resource=t/i"); /* found */
    assert_string_equal(s->fake.checked, "|agent|a|x|t/i|{}");
    ctl(s, 1, NULL, "mandate", "check", "--mandate=m-1", "--agent=a", "--action=x");
    ctl(s, 1, NULL, "mandate", "check", "--mandate=m-1", "--agent=a", "--action=x", "--resource=t");
    ctl(s, 1, NULL, "mandate", "check", "--mandate=m-1", "--agent=a", "--action=x", "--resource=t/i", "--param", "eur");
    assert_contains(result.err, "expected NAME=VALUE");
}

static void put_file(char *path, size_t size, const char *folder, const char *name, const char *text)
{
    snprintf(path, size, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_cli_lint__says_what_is_wrong_where_and_exits_for_pipelines(void **state)
{
    scene *s = *state;
    char file[sizeof(s->directory) + 32], types[sizeof(file)], sarif[256];
    put_file(types, sizeof(types), s->directory, "types.yaml",
             "types: {t.e: {attributes: {s: {type: string, values: [a, b]}}}}\n");
    put_file(file, sizeof(file), s->directory, "m.json",
             "{\"grantor\": \"g\", \"agent\": \"a\", \"purpose\": \"p\", \"audience\": [\"x\"], \"max_depth\": 0,\n"
             " \"scope\": {\"actions\": [\"x\"], \"resources\": [\"t.e/1\"]},\n"
             " \"until\": \"t.e[\\\"1\\\"].s == \\\"c\\\"\",\n"
             " \"expires_at\": \"2030-01-01T00:00:00Z\"}\n");
    ctl_alone(1, NULL, "mandate", "lint", file, "--entities", types, "--at", "2029-12-01T00:00:00Z");
    assert_contains(result.out, "m.json:3:28: error: \"c\" is none of the 2 values of t.e.s [undeclared-value]\n");
    assert_contains(result.out, "\n  |                            ^~~~~\n");
    assert_contains(result.out, "1 file: 2 errors, 0 warnings, 0 notes\n");
    ctl_alone(0, NULL, "mandate", "lint", file, "--entities", types, "--at", "2029-12-01T00:00:00Z", "--fail-on", "never");
    ctl_alone(1, NULL, "mandate", "lint", file, "--entities", types, "--format", "json", "--at", "2029-12-01T00:00:00Z");
    assert_contains(result.out, "\"line\":3,\"column\":28,\"end_line\":3,\"end_column\":33,");
    assert_contains(result.out, "],\"files\":1,\"errors\":2,\"warnings\":0,\"notes\":0}\n");
    ctl_alone(1, NULL, "mandate", "lint", file, "--entities", types, "--format", "sarif");
    snprintf(sarif, sizeof(sarif), "\"region\":{\"startLine\":3,\"startColumn\":28,\"endLine\":3,\"endColumn\":33}");
    assert_contains(result.out, sarif);
    /* Without entity types conditions are not looked at, and it says so. */
    ctl_alone(0, NULL, "mandate", "lint", file, "--at", "2029-12-01T00:00:00Z");
    assert_contains(result.err, "conditions were not looked at");
    ctl_alone(1, NULL, "mandate", "lint", file, "--format", "xml");
    ctl_alone(1, NULL, "mandate", "lint", file, "--fail-on", "fatal");
    ctl_alone(1, NULL, "mandate", "lint", types);
    assert_contains(result.out, "[invalid-claims]");
    assert_int_equal(unlink(file) | unlink(types), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cli_issue__sends_a_file_or_standard_input),
        TEST(test_cli_issue__restricts_what_the_command_line_says),
        TEST(test_cli_issue__a_refusal_is_shown_with_its_position),
        TEST(test_cli_get__shows_the_mandate_and_its_evidence),
        TEST(test_cli_get__what_is_not_there_or_not_reachable_has_its_exit_code),
        TEST(test_cli_get__an_id_reaches_the_server_as_it_was_typed),
        TEST(test_cli_get__works_over_tcp_too),
        TEST(test_cli_get__nothing_from_elsewhere_drives_the_terminal),
        TEST(test_cli_list__is_a_table_and_follows_the_pages),
        TEST(test_cli_watches__go_to_their_resource),
        TEST(test_cli_control__passes_the_reason_on),
        TEST(test_cli_spend__sends_the_amount_as_it_was_typed),
        TEST(test_cli_amend__sends_what_changes_and_how),
        TEST(test_cli_delegate__sends_what_was_said),
        TEST(test_cli_explain__draws_the_tree_with_what_each_term_read),
        TEST(test_cli_watch__prints_each_change_and_exits_3_when_it_ended),
        TEST(test_cli_watch__shows_the_way_from_state_to_state),
        TEST(test_cli_lint__says_what_is_wrong_where_and_exits_for_pipelines),
        TEST(test_cli_check__the_exit_code_is_the_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
