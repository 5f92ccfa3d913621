#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that a machine can check. Run by ctest and by ./dev lint.

Prints one line a rule ("ok   rule" or "FAIL rule" with the places below it) and fails when any rule is broken. Warnings
(long files) are shown with --warnings and fail nothing. `--self-test` plants one violation of each rule in a copy and
requires that it is found: a check that cannot fail is a defect.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

FOLDERS = {"include", "engine", "graph", "connectors", "schemas", "tests", "bench", "docs", ".ci"}
FILES = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "NOTICE", "dev", ".clang-format", ".editorconfig",
         ".gitignore", ".gitattributes"}

# What a layer may include: its own folder and those below it.
LAYERS = {"include": ("mandate/", "include/"),
          "engine": ("engine/", "mandate/"),
          "graph": ("graph/", "engine/", "mandate/"),
          "connectors": ("connectors/", "graph/", "engine/", "mandate/")}
LEAVES = ("connectors/daemon/", "connectors/cli/")  # nobody else includes them
# The daemon's rooms: each includes itself and those before it; what stands in none may include all.
ROOMS = ("base", "view", "record", "keys", "rules", "answer", "tell")

# Third-party headers and the only files or folders that may include each.
THIRD_PARTY = [
    (r"re2/", ("engine/cel/re2_shim.cc",)),
    (r"absl/", ("connectors/zone/zone_shim.cc",)),
    (r"rocksdb/", ("graph/kv/rocksdb.c",)),
    (r"librdkafka/", ("connectors/kafka/",)),
    (r"avro", ("connectors/decode/",)),
    (r"simdjson", ("connectors/decode/json_shim.cc",)),
    (r"jansson", ("docs/guard/", "connectors/json/", "connectors/http/", "connectors/cli/", "connectors/kafka/", "connectors/decode/")),
    (r"microhttpd", ("connectors/http/",)),
    (r"gnutls/", ("connectors/http/tls.c", "connectors/http/trust.c")),
    (r"curl/", ("connectors/decode/", "connectors/login/keys.c", "connectors/cli/", "connectors/kafka/oauth.c", "connectors/daemon/tell/webhook_post.c")),
    (r"yaml", ("connectors/config/",)),
    (r"openssl/", ("engine/base/", "engine/mandate/", "engine/", "graph/", "connectors/token/")),
    (r"sodium", ("connectors/token/key_quick.c",)),
    (r"zlib", ("connectors/token/status_list.c",)),
    (r"xxhash", ("engine/base/",)),
    (r"cmocka", ("tests/",)),
]
MAX_FILES_OF_ONE = {"rocksdb/": 1, "re2/": 1, "absl/": 1, "simdjson": 1}
NO_IO_IN_ENGINE = re.compile(r"\b(fopen|open|socket|time|gettimeofday|clock_gettime|rand|random|getrandom|pthread_create|"
                             r"usleep|nanosleep|setlocale)\s*\(")
LEFTOVER = re.compile(r"\b(FIXME|TODO|XXX)\b")
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */"


class House:
    def __init__(self, root):
        self.root = root
        listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                                stdout=subprocess.PIPE, check=True)
        self.files = sorted(f for f in listed.stdout.decode().split("\0") if f and os.path.isfile(os.path.join(root, f)))
        self.cache = {}

    def text(self, path):
        if path not in self.cache:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as f:
                self.cache[path] = f.read()
        return self.cache[path]

    def sources(self, under=""):
        return [f for f in self.files if f.startswith(under) and f.endswith((".c", ".h", ".cc"))]

    def includes(self, path):
        for number, line in enumerate(self.text(path).splitlines(), 1):
            m = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if m:
                yield number, m.group(1), m.group(2)


def rule_includes_point_downwards(h):
    for layer, allowed in LAYERS.items():
        for path in h.sources(layer + "/"):
            for line, quote, name in h.includes(path):
                ours = name.split("/")[0] + "/" in ("mandate/", "engine/", "graph/", "connectors/", "tests/", "bench/")
                if (quote == '"' or ours) and "/" in name and not name.startswith(allowed):
                    yield "%s:%d includes %s; %s may include only %s" % (path, line, name, layer, ", ".join(allowed))
                elif quote == '"' and "/" not in name and any(os.path.basename(f) == name for f in h.files):
                    yield '%s:%d includes "%s"; write the path from the top of the repository' % (path, line, name)


def rule_nobody_includes_a_leaf(h):
    for path in h.sources():
        for line, _, name in h.includes(path):
            for leaf in LEAVES:
                if name.startswith(leaf) and not path.startswith((leaf, "tests/", "bench/")):
                    yield "%s:%d includes %s, which is a leaf" % (path, line, name)


def rule_rooms_of_the_daemon_include_those_before_them(h):
    home = "connectors/daemon/"
    for path in h.sources(home):
        room = path[len(home):].split("/")[0]
        if room not in ROOMS:
            if "/" in path[len(home):]:
                yield "%s: ROOMS in tests/tidy/tidy.py does not say where %s stands" % (path, room)
            continue
        allowed = tuple(home + r + "/" for r in ROOMS[:ROOMS.index(room) + 1])
        for line, _, name in h.includes(path):
            if name.startswith(home) and not name.startswith(allowed):
                yield "%s:%d includes %s; %s may include only itself and the rooms before it" % (path, line, name, room)


def rule_third_party_headers_stay_in_their_rooms(h):
    users = {}
    for path in h.sources():
        if path.startswith(("tests/", "bench/")):
            continue
        for line, quote, name in h.includes(path):
            for pattern, places in THIRD_PARTY:
                if quote == "<" and re.match(pattern, name):
                    users.setdefault(pattern, set()).add(path)
                    if not path.startswith(places):
                        yield "%s:%d includes <%s>; only %s may" % (path, line, name, ", ".join(places))
    for pattern, most in MAX_FILES_OF_ONE.items():
        if len(users.get(pattern, ())) > most:
            yield "<%s> is included by %s; at most %d file may" % (pattern, ", ".join(sorted(users[pattern])), most)


def rule_the_engine_is_pure(h):
    for path in h.sources("engine/"):
        code = re.sub(r'"(\\.|[^"\\\n])*"', '""', re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), h.text(path),
                                                         flags=re.S))
        for number, line in enumerate(code.splitlines(), 1):
            m = NO_IO_IN_ENGINE.search(line.split("//")[0])
            if m and not re.search(r"[>.]\s*%s\s*\(" % m.group(1), line):
                yield "%s:%d calls %s" % (path, number, m.group(1))


def rule_nothing_new_at_the_top(h):
    for f in sorted({f.split("/")[0] for f in h.files}):
        if f not in FOLDERS and f not in FILES:
            yield "%s stands at the top; the root holds only what design and tools ask for" % f


def rule_folders_have_a_short_readme(h):
    folders = set()
    for f in h.sources():
        if not f.startswith("tests/"):
            folders.add(os.path.dirname(f))
    folders |= {d for d in ("engine", "graph", "connectors", "schemas", "tests", "bench", "docs") if
                any(f.startswith(d + "/") for f in h.files)}
    folders.discard("include")
    for d in sorted(folders):
        path = d + "/README.md"
        if path not in h.files:
            yield "%s has no README.md (what it is, what must hold, where to start reading)" % d
    for path in h.files:
        if os.path.basename(path) == "README.md" and path != "README.md":
            lines = h.text(path).count("\n")
            if lines > 40:
                yield "%s has %d lines; at most 40" % (path, lines)


def rule_the_architecture_fits_in_300_lines(h):
    if "docs/architecture.md" not in h.files:
        yield "docs/architecture.md is missing"
    elif h.text("docs/architecture.md").count("\n") > 300:
        yield "docs/architecture.md has %d lines; at most 300" % h.text("docs/architecture.md").count("\n")


def rule_nothing_is_left_for_later(h):
    for path in h.files:
        if path.startswith("tests/tidy/") or path.endswith((".bin", ".avro")) or "/corpus/" in path:
            continue
        if path.endswith((".c", ".h", ".cc", ".py", ".txt", ".md", ".yaml", ".json", ".sh")) or path == "dev":
            for number, line in enumerate(h.text(path).splitlines(), 1):
                if LEFTOVER.search(line) and "mktemp" not in line:
                    yield "%s:%d %s" % (path, number, line.strip()[:80])


def rule_sources_begin_with_their_licence(h):
    for path in h.sources():
        if not h.text(path).startswith((SPDX, SPDX[:-3].replace("/*", "//"))):
            yield "%s does not begin with %s" % (path, SPDX)


def rule_no_file_names_a_private_place(h):
    for path in h.files:
        if path.endswith((".c", ".h", ".cc", ".py", ".md", ".yaml", ".json", ".xml", ".sh", ".txt")) or path == "dev":
            for number, line in enumerate(h.text(path).splitlines(), 1):
                if re.search(r"(^|[\s\"'(=])/(work|root|home/\w+)/", line):
                    yield "%s:%d names a path of one machine" % (path, number)


def rule_an_authority_that_is_named_is_the_only_one(h):
    """libcurl looks in the system's folder of authorities (CURLOPT_CAPATH) beside a file of ours."""
    for path in h.sources("connectors/"):
        if "CURLOPT_CAINFO" in h.text(path) and "CURLOPT_CAPATH, NULL" not in h.text(path):
            yield "%s sets CURLOPT_CAINFO and leaves CURLOPT_CAPATH" % path


def warn_long_files(h):
    for path in h.sources():
        lines = h.text(path).count("\n")
        if lines > 500:
            yield "%s has %d lines" % (path, lines)


RULES = {name[5:].replace("_", " "): rule for name, rule in list(globals().items()) if name.startswith("rule_")}

# For the self-test: one violation of each rule.
PLANTED = {
    "includes point downwards": ("engine/planted.c", SPDX + '\n#include "graph/store.h"\n'),
    "nobody includes a leaf": ("connectors/http/planted.c", SPDX + '\n#include "connectors/daemon/view/view.h"\n'),
    "rooms of the daemon include those before them": ("connectors/daemon/base/planted.c",
                                                      SPDX + '\n#include "connectors/daemon/view/view.h"\n'),
    "third party headers stay in their rooms": ("graph/planted.c", SPDX + "\n#include <librdkafka/rdkafka.h>\n"),
    "the engine is pure": ("engine/planted.c", SPDX + "\nint f(void) { return (int)time(0); }\n"),
    "nothing new at the top": ("planted.txt", "\n"),
    "folders have a short readme": ("engine/planted/README.md", "line\n" * 41),
    "the architecture fits in 300 lines": ("docs/architecture.md", "line\n" * 301),
    "nothing is left for later": ("engine/planted.c", SPDX + "\n/* " + "TO" + "DO */\n"),
    "sources begin with their licence": ("engine/planted.h", "int x;\n"),
    "an authority that is named is the only one": ("connectors/planted.c", SPDX + "\nint f = CURLOPT_CAINFO;\n"),
    "no file names a private place": ("docs/planted.md", "see /ro" + "ot/x\n"),
}


def self_test(root):
    bad = 0
    for name, rule in RULES.items():
        path, text = PLANTED[name]
        h = House(root)
        before = set(rule(h))
        h.files = [f for f in h.files if f != path] + [path]
        h.cache[path] = text
        found = bool(set(rule(h)) - before)
        print("%s a planted violation is found: %s" % ("ok  " if found else "FAIL", name))
        bad += not found
    return bad


def main(argv):
    h = House(ROOT)
    if "--self-test" in argv:
        return 1 if self_test(ROOT) else 0
    broken = 0
    for name, rule in RULES.items():
        places = list(rule(h))
        print("%s %s" % ("FAIL" if places else "ok  ", name))
        for place in places:
            print("       " + place)
        broken += bool(places)
    if "--warnings" in argv:
        for place in warn_long_files(h):
            print("warning: " + place)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
