// SPDX-License-Identifier: Apache-2.0
//
// re2_shim - the only file that includes RE2.
//
// Options: UTF-8, no logging, at most 1 MiB for program and automata together.

#include "engine/cel/re2_shim.h"

#include <re2/re2.h>

#include <cstdio>
#include <new>

struct cel_regex {
    RE2 re;
    cel_regex(const re2::StringPiece &pattern, const RE2::Options &options) : re(pattern, options) {}
};

static const int GROUPS_MAX = 16;

// \C matches one byte, and so half a character: what it captured would be no text. Between \Q and \E nothing is an escape.
static bool takes_bytes_apart(const char *pattern, size_t len)
{
    bool quoted = false;
    for (size_t i = 0; i + 1 < len; i++) {
        if (pattern[i] != '\\')
            continue;
        char c = pattern[i + 1];
        if (!quoted && c == 'C')
            return true;
        if (quoted ? c == 'E' : c == 'Q')
            quoted = !quoted;
        else if (quoted)
            continue; // the next may be the backslash of \E
        i++;
    }
    return false;
}

extern "C" cel_regex *cel_regex_create(const char *pattern, size_t len, char *reason, size_t size)
{
    if (takes_bytes_apart(pattern, len)) {
        if (size > 0)
            std::snprintf(reason, size, "invalid escape sequence: \\C");
        return nullptr;
    }
    try {
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(1 << 20);
        cel_regex *regex = new cel_regex(re2::StringPiece(pattern ? pattern : "", len), options);
        if (regex->re.ok())
            return regex;
        if (size > 0)
            std::snprintf(reason, size, "%s", regex->re.error().c_str());
        delete regex;
    } catch (const std::bad_alloc &) {
        if (size > 0)
            std::snprintf(reason, size, "out of memory");
    }
    return nullptr;
}

extern "C" void cel_regex_destroy(cel_regex *regex) { delete regex; }

extern "C" size_t cel_regex_bytes(const cel_regex *regex)
{
    return sizeof *regex + static_cast<size_t>(regex->re.ProgramSize()) * 16;
}

extern "C" int cel_regex_size(const cel_regex *regex) { return regex->re.ProgramSize(); }

// So few instructions that all sets of them fit the automaton's memory, or no way to repeat anything:
// anchored, and without a repetition.
extern "C" bool cel_regex_is_simple(const cel_regex *regex)
{
    const std::string &pattern = regex->re.pattern();
    return regex->re.ProgramSize() <= 16 ||
           (pattern.size() > 0 && pattern[0] == '^' && pattern.find_first_of("*+{|") == std::string::npos);
}

extern "C" int cel_regex_groups(const cel_regex *regex) { return regex->re.NumberOfCapturingGroups(); }

extern "C" cel_regex_result cel_regex_search(const cel_regex *regex, mandate_slice text, size_t from, mandate_slice *groups,
                                             int count)
{
    re2::StringPiece found[GROUPS_MAX];
    re2::StringPiece input(text.ptr ? text.ptr : "", text.len);
    if (count > GROUPS_MAX)
        count = GROUPS_MAX;
    try {
        if (!regex->re.Match(input, from, text.len, RE2::UNANCHORED, found, count))
            return CEL_REGEX_NONE;
    } catch (const std::bad_alloc &) {
        return CEL_REGEX_NOMEM;
    }
    for (int i = 0; i < count; i++) {
        groups[i].ptr = found[i].data();
        groups[i].len = found[i].size();
    }
    return CEL_REGEX_FOUND;
}
