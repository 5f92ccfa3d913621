/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guide - see guide.h. Help and the manual page.
 */
#include "connectors/cli/guide.h"

#include <string.h>

#include "connectors/config/roff.h"
#include "mandate/mandate.h"

#define PURPOSE "execution mandates that end when their reason ends"
#define BROKERS "Topics are read at --bootstrap (default $MANDATED_BOOTSTRAP, then 127.0.0.1:9092)."
#define COLOUR "Colour is used on a terminal unless NO_COLOR is set."

const guide_option guide_options[] = {
    {"--json", NULL, "print what the server or topic said, as JSON"},
    {"--socket", "PATH", "the server's socket (default $MANDATED_SOCKET, then ./data/mandated.sock)"},
    {"--url", "URL", "the server's address instead, http://127.0.0.1:PORT or https://HOST:PORT"},
    {"--token-file", "FILE", "a token that says who we are (default $MANDATED_TOKEN_FILE)"},
    {"--tls-ca", "FILE", "certificates to trust for an https address (default: the system's)"},
    {"--tls-certificate", "FILE", "our own certificate for it"},
    {"--tls-key", "FILE", "the private key of that"},
    {"--help", NULL, "its arguments"},
};
const size_t guide_option_count = sizeof(guide_options) / sizeof(*guide_options);

static const guide_option alone[] = {
    {"whoami", NULL, "who the server takes us for: policy whoami"},
    {"--help", NULL, "every command"},
    {"--version", NULL, "the version"},
    {"--man", NULL, "this list as a manual page, mandatectl(1)"},
    {"--completion", "bash", "a script that completes commands and options"},
};

static bool begins_group(const command *commands, size_t i)
{
    return i == 0 || strcmp(commands[i].group, commands[i - 1].group) != 0;
}

static void list_options(FILE *to, const guide_option *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s%s%s", list[i].name, list[i].value ? " " : "", list[i].value ? list[i].value : "");
        fprintf(to, "  %-18s %s\n", name, list[i].help);
    }
}

void guide_help(FILE *to, const command *commands, size_t count)
{
    fprintf(to, "mandatectl %s - " PURPOSE "\n\nusage: mandatectl GROUP COMMAND [arguments]\n", mandate_version());
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s  %-9s %-9s %s\n", begins_group(commands, i) ? "\n" : "", commands[i].group, commands[i].name,
                commands[i].help);
    fprintf(to, "\nEvery command takes\n");
    list_options(to, guide_options, guide_option_count);
    fprintf(to, BROKERS "\n" COLOUR "\n\nInstead of a command\n");
    list_options(to, alone, sizeof(alone) / sizeof(*alone));
    fprintf(to, "\nexit codes\n");
#define X(name, code, text) fprintf(to, "  %-3d %s\n", code, text);
    EXIT_CODE_MAP(X)
#undef X
}

bool guide_group(FILE *to, const command *commands, size_t count, const char *group)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(group, commands[i].group) != 0)
            continue;
        if (!found)
            fprintf(to, "usage: mandatectl %s COMMAND [arguments]\n\n", group);
        found = true;
        fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
    }
    return found;
}

void guide_usage(FILE *to, const command *c)
{
    fprintf(to, "usage: mandatectl %s %s %s\n\n%s\n", c->group, c->name, c->usage, c->help);
    fprintf(to, "also: [--json] [--socket PATH | --url URL] [--token-file FILE] [--tls-ca FILE] [--tls-certificate FILE] "
                "[--tls-key FILE]\n");
    if (c->power != POWER_LOCAL)
        fprintf(to, "the power that a policy must give for it: %s\n", power_name(c->power));
}

static void man_options(buf *b, const guide_option *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        roff_term(b, list[i].name, list[i].value, list[i].help);
}

void guide_man(buf *b, const command *commands, size_t count)
{
    char text[128], help[256];

    roff_begin(b, "MANDATECTL", 1, mandate_version(), "mandatectl", PURPOSE);
    roff_section(b, "SYNOPSIS");
    roff_term(b, "mandatectl", "GROUP COMMAND [arguments]", "");
    roff_section(b, "COMMANDS");
    for (size_t i = 0; i < count; i++) {
        if (begins_group(commands, i))
            roff_subsection(b, commands[i].group);
        snprintf(text, sizeof(text), "%s %s", commands[i].group, commands[i].name);
        bool local = commands[i].power == POWER_LOCAL;
        snprintf(help, sizeof(help), "%s%s%s", commands[i].help, local ? "" : "; takes the power ",
                 local ? "" : power_name(commands[i].power));
        roff_term(b, text, commands[i].usage, help);
    }
    roff_section(b, "OPTIONS OF EVERY COMMAND");
    man_options(b, guide_options, guide_option_count);
    roff_section(b, "INSTEAD OF A COMMAND");
    man_options(b, alone, sizeof(alone) / sizeof(*alone));
    roff_section(b, "ENVIRONMENT");
    roff_term(b, "MANDATED_SOCKET", NULL, "The server's socket, when --socket is not given.");
    roff_term(b, "MANDATED_TOKEN_FILE", NULL, "A bearer token, when --token-file is not given.");
    roff_term(b, "MANDATED_BOOTSTRAP", NULL, BROKERS);
    roff_term(b, "NO_COLOR", NULL, COLOUR);
    roff_section(b, "EXIT STATUS");
#define X(name, code, means)                  \
    snprintf(text, sizeof(text), "%d", code); \
    roff_term(b, text, NULL, means);
    EXIT_CODE_MAP(X)
#undef X
    roff_section(b, "SEE ALSO");
    roff_text(b, "mandated(8), mandated.yaml(5)");
}
