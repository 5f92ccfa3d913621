#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Planted bugs: one small lie at a time in the engine, and the tests must notice each of them.

    python3 tests/mutation/mutate.py             all of them (half a minute on two idle cores)
    python3 tests/mutation/mutate.py --third     a random third; prints the seed (--seed N repeats it)
    python3 tests/mutation/mutate.py --only N    one, with the output of the test that caught it

The engine and its tests are compiled into a temporary folder; the tree is never touched. Each mutation replaces a text
that must stand in its file exactly once: when the code moves on, the script says so, and the mutation is to be
rewritten. Caught means: test_differential (20,000 inputs) or a unit test fails, crashes or does not come to an end; for the language
(engine/cel) the property of unknowns, which must see it by itself.
"""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = ["-std=c17", "-O1", "-g", "-fno-strict-aliasing", "-D_GNU_SOURCE", "-UNDEBUG", '-DMANDATE_VERSION="mutant"',
         f'-DMANDATE_SOURCE_DIR="{ROOT}"', f"-I{ROOT}", f"-I{ROOT}/include", "-w"]
PACKAGES = ["libcrypto", "re2", "cmocka", "jansson"]
TIMEOUT_S = 60

UNIT_TESTS = [
    "context/test_context", "context/test_entity_codec", "condition/test_index", "condition/test_truth",
    "condition/test_explain", "condition/test_cohort", "condition/test_lift", "condition/test_ladder", "mandate/test_claims", "mandate/test_scope", "mandate/test_lifecycle",
    "mandate/test_transition", "timer/test_timer", "test_issue", "test_step", "test_cascade", "test_limits",
]

# (file, what stands there, what stands there instead, what it means)
MUTATIONS = [
    ("engine/report.c", "if (now_us >= m->expires_at_us)", "if (now_us > m->expires_at_us)",
     "a mandate is still accepted at the moment of its expiry"),
    ("engine/end.c", "live_descendants -= 1 + m->live_descendants;", "live_descendants -= 1;", "a root counts those who fell before it"),
    ("engine/end.c", "    m->version++;\n", "    m->version += t.prior != to;\n", "the version depends on something else"),
    ("engine/flip.c", "    if (!sort_by_id(e, e->affected.data, e->affected.len))\n        return false;\n", "", "transitions come in order of postings"),
    ("engine/order.c", "key << 8 | (at + i < id.len ? (uint8_t)id.ptr[at + i] : 0)", "key << 8 | (at + i < id.len ? (uint8_t)id.ptr[at + i] & 0xf0 : 0)",
     "ids that differ in a low bit come in any order"),
    ("engine/flip.c", "m->grace_at_us = e->now_us + m->unknown_grace_us;",
     "m->grace_at_us = e->batch_now_us + m->unknown_grace_us;", "after a long stop the grace starts when we woke up"),
    ("engine/flip.c", "if (error != CLAUSE_NONE)\n        m->suspended_by |= SUSPENDED_BY_ERROR;",
     "m->suspended_by = error != CLAUSE_NONE ? m->suspended_by | SUSPENDED_BY_ERROR : m->suspended_by & ~SUSPENDED_BY_ERROR;",
     "an error that goes away resumes without a human"),
    ("engine/cascade.c", "memcpy(t->txn, c->txn, sizeof(t->txn));", ";", "every record of a cascade has a txn of its own"),
    ("engine/cascade.c", "bool expired = m->expires_at_us <= c->effective_at_us;", "bool expired = false;",
     "a child that expired with its parent is called cascaded"),
    ("engine/command.c", "m->suspended_by &= (uint8_t)~by_hand;", "m->suspended_by = 0;", "a command resumes what a clause suspends"),
    ("engine/issue.c", "timeless.issued_at_us = 0;", ";", "a repeated issuance is a conflict"),
    ("engine/issue.c", "if (is->claims.expires_at_us > is->e->batch_now_us)", "if (is->claims.expires_at_us >= is->e->batch_now_us)",
     "a mandate is born expired"),
    ("engine/persist.c", "wire_put_u8(value, m->suspended_by);", "wire_put_u8(value, 0);", "a restart forgets why a mandate is suspended"),
    ("engine/persist.c", "e->cascades.data[e->cascades.len - 1].cursor = c.cursor;", ";", "a restart begins a cascade anew"),
    ("engine/batch_codec.c", "ch->event_time_us = wire_get_i64(r);", "ch->event_time_us = (wire_get_i64(r), CHANGE_NO_TIME);",
     "a replay does not see that a change is late"),
    ("engine/deadline.c", "        set_now(e, at_us);\n", "        set_now(e, to_us);\n", "what was due while we slept is served at the time we woke up"),
    ("engine/context/apply.c", "held->event_time_us > origin->event_time_us;", "held->event_time_us >= origin->event_time_us;",
     "of two changes at one moment the first wins"),
    ("engine/context/apply.c", "return before != CONTEXT_ABSENT || set_all", "return true || set_all", "a revived entity is null, not unknown"),
    ("engine/context/apply.c", "            lo = mid + 1;\n        else\n            hi = mid;\n    }\n    *found = false;\n    return lo;",
     "            lo = mid + 1;\n        else\n            hi = mid;\n    }\n    *found = false;\n    return list.len;", "inverse lists in order of arrival"),
    ("engine/context/context.c", "if (source < LIMIT_SOURCES && c->source_down[source])", "if (false)", "a silent source is believed"),
    ("engine/condition/node.c", "           : count[TRUTH_UNKNOWN] ? TRUTH_UNKNOWN\n           : count[TRUTH_ERROR]   ? TRUTH_ERROR",
     "           : count[TRUTH_ERROR]   ? TRUTH_ERROR\n           : count[TRUTH_UNKNOWN] ? TRUTH_UNKNOWN", "error before unknown"),
    ("engine/condition/node.c", "p->count[negated ? truth_not(old) : old]--;", "p->count[old]--;", "a negated edge counts the wrong value down"),
    ("engine/condition/leaf.c", "if (order < 0 || (after && order == 0))", "if (order < 0)", "a value equal to a threshold does not pass it"),
    ("engine/condition/leaf.c", "    equal_change(x, s, old, now);\n", "", "what was equal stays equal"),
    ("engine/condition/opaque.c", "ok = ok && timer_arm(x->deadlines, TIMER_CONDITION, node, until);", "", "nobody looks at the clock"),
    ("engine/condition/opaque.c", "        if (p->mark == x->run) {\n            p->mark = stays;", "        if (true) {\n            p->mark = stays;", "a read set only grows"),
    ("engine/condition/cohort_change.c", "            turn(x, c, i, klass, (uint64_t)klass + 1);\n", "            ;\n", "a member that was equal stays equal"),
    ("engine/condition/cohort_change.c", "col->op == CEL_OP_LT || col->op == CEL_OP_GE ? upper : lower", "upper", "a value equal to a member's threshold does not pass it"),
    ("engine/condition/cohort_change.c", "u = (a.u | b.u) & not_false;", "u = a.u | b.u;", "unknown and false is unknown"),
    ("engine/condition/cohort_change.c", "(a.e | b.e) & not_false & ~u}", "(a.e | b.e) & not_false}", "a member is in error and unknown at once"),
    ("engine/condition/cohort.c", "            column_meets(x, col, klass);\n", "", "a constant that comes later is not compared"),
    ("engine/condition/cohort.c", "        record_at(x, c->conditions[m])->index = n;\n", "", "a condition forgets where it is when a crowd has gone"),
    ("engine/condition/constant.c", "        *lower = int_keys_from(v.d, false);\n", "        *lower = int_keys_from(v.d, true);\n", "a double equal to integer thresholds is above them"),
    ("engine/condition/lift.c", "    buf_put_char(&l->skeleton, letters[v.kind]);\n", "    (void)letters;\n", "`< 5` and `< 5.0` are one text"),
    ("engine/condition/lift.c", "while (!same_literal(l->literals[i].value, v))", "while (i + 1 < l->count)", "two keys of one entity are taken for two entities' and the other way round"),
    ("engine/condition/bind.c", "    wire_put_u64(key, p->id);\n", "", "two programs of one text are taken for one"),
    ("engine/mandate/scope.c", "child->depth_max >= parent->depth_max", "child->depth_max > parent->depth_max", "delegation without end"),
    ("engine/mandate/lifecycle.c", "    wire_put_bytes(&b, issuer);\n", "", "transition ids of two issuers collide"),
    ("engine/timer/timer.c", "return a->kind != b->kind ? a->kind < b->kind : a->owner < b->owner;", "return a->owner < b->owner;",
     "equal deadlines in order of owners"),
    # The language: judged by the property of unknowns alone.
    ("engine/cel/eval.c", "return v.kind == CEL_UNKNOWN ? 2 : 1;", "return v.kind == CEL_UNKNOWN ? 1 : 2;", "error before unknown in && and ||"),
    ("engine/cel/eval.c", "        return cel_unknown_join(act->memory, x, y);", "        return x;", "of two unknowns only one is named"),
    ("engine/cel/eval.c", "    return cel_is_odd(v) ? v : cel_no_such_overload(act);", "    return cel_bool(v.kind != CEL_ERROR);",
     "not unknown is true"),
    ("engine/cel/eval.c", "    if (cel_is_odd(x))\n        return x;\n    if (x.kind > CEL_STRING)",
     "    if (x.kind > CEL_STRING)", "what is unknown is not among the constants"),
    ("engine/cel/eval.c", "                *top = combine(act, stack[s->a + FOLD_ACCU], *top, s->op == OP_FOLD_ANY);",
     "                *top = stack[s->a + FOLD_ACCU];", "an unknown element counts for nothing"),
    ("engine/cel/eval_step.c", "    if (cel_is_odd(x))\n        return x;\n    return x.kind == CEL_NULL",
     "    if (cel_is_odd(x))\n        return cel_bool(false);\n    return x.kind == CEL_NULL", "has() of something unknown is false"),
]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def compile_one(source, out):
    compiler = ["g++", "-std=c++17"] + [f for f in FLAGS if f != "-std=c17"] if source.suffix == ".cc" else ["gcc"] + FLAGS
    done = run([*compiler, "-I", str(source.parent), "-c", str(source), "-o", str(out)])
    if done.returncode:
        sys.exit(f"{source} does not compile:\n{done.stdout}")


def engine_sources():
    """As the build lists them: a file that is being written beside them is none of ours yet."""
    out = set()
    for listed in (ROOT / "engine").rglob("CMakeLists.txt"):
        for name in re.findall(r"[\w/]+\.cc?\b", listed.read_text()):
            out.add(listed.parent / name)
    return sorted(out)


class Build:
    """Objects of the whole engine, and of each test; a mutant replaces one object."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.libs = shlex.split(run(["pkg-config", "--libs", *PACKAGES]).stdout) + ["-lm", "-lpthread"]
        tests = ROOT / "tests"
        self.engine = engine_sources()
        shared = {"rig": tests / "engine/rig.c", "world": tests / "engine/world.c", "model": tests / "model/model.c",
                  "model_condition": tests / "model/model_condition.c", "test_differential": tests / "engine/test_differential.c"}
        language = ["prop_unknown", "cover", "gen", "gen_call", "gen_world"]
        shared.update({name: tests / f"engine/cel/{name}.c" for name in language})
        units = {pathlib.Path(t).name: tests / "engine" / f"{t}.c" for t in UNIT_TESTS}
        jobs = [(s, self.object_of(s)) for s in self.engine]
        jobs += [(s, self.folder / f"{name}.o") for name, s in {**shared, **units}.items()]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(compile_one, *j) for j in jobs]:
                job.result()
        self.programs = {"test_differential": (["test_differential", "world", "model", "model_condition"], ["20000"])}
        self.programs.update({name: ([name, "rig"], []) for name in units})
        self.language = {"prop_unknown": (language, ["200000"])}

    def object_of(self, source):
        return self.folder / (str(source.relative_to(ROOT)).replace("/", "_") + ".o")

    def library(self, mutated=None, instead=None):
        """An archive, so that a test links only what it needs."""
        out = self.folder / "engine.a"
        out.unlink(missing_ok=True)
        objects = [str(instead) if s == mutated else str(self.object_of(s)) for s in self.engine]
        subprocess.run(["ar", "rcs", str(out), *objects], check=True)
        return out

    def failing(self, library, programs=None):
        """Name and output of the first program that fails, or None."""
        for name, (objects, arguments) in (programs or {**self.programs, **self.language}).items():
            program = self.folder / name
            linked = run(["g++", *[str(self.folder / f"{o}.o") for o in objects], str(library), "-o", str(program), *self.libs])
            if linked.returncode:
                sys.exit(f"{name} does not link:\n{linked.stdout}")
            try:
                done = run([str(program), *arguments], timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                return name, "it did not come to an end"
            if done.returncode:
                return name, done.stdout
        return None


def mutant(build, mutation, folder):
    path, before, after, _ = mutation
    source = ROOT / path
    text = source.read_text()
    if text.count(before) != 1:
        sys.exit(f"{path}: {before!r} stands there {text.count(before)} times, not once: rewrite this mutation")
    # Beside nothing: quoted includes are all from the root, so the mutated file may stand anywhere.
    changed = pathlib.Path(folder) / source.name
    changed.write_text(text.replace(before, after))
    out = pathlib.Path(folder) / "mutant.o"
    compile_one(changed, out)
    return build.failing(build.library(source, out), build.language if path.startswith("engine/cel/") else build.programs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--third", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    chosen = list(range(len(MUTATIONS)))
    if options.only is not None:
        chosen = [options.only]
    elif options.third:
        seed = options.seed if options.seed is not None else random.randrange(1 << 30)
        print(f"a third, seed {seed}")
        chosen = sorted(random.Random(seed).sample(chosen, (len(chosen) + 2) // 3))
    with tempfile.TemporaryDirectory() as folder:
        build = Build(folder)
        sound = build.failing(build.library())
        if sound:
            sys.exit(f"{sound[0]} fails without any mutation:\n{sound[1]}")
        missed = 0
        for i in chosen:
            os.makedirs(f"{folder}/mutant", exist_ok=True)
            caught = mutant(build, MUTATIONS[i], f"{folder}/mutant")
            missed += caught is None
            print(f"{i:2} {'MISSED' if caught is None else 'caught by ' + caught[0]:34} {MUTATIONS[i][0]}: {MUTATIONS[i][3]}", flush=True)
            if caught and options.only is not None:
                print(caught[1])
    print(f"{len(chosen) - missed} of {len(chosen)} planted bugs were caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
