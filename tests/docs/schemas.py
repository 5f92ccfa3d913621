#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every connector, entity type and configuration file that we show is valid by schemas/*.schema.json, as an editor would
see it; files with a planted mistake are not. Skipped (77) where python3-yaml or python3-jsonschema is missing."""
import copy
import json
import pathlib
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Loader(yaml.SafeLoader):
    """As mandated reads YAML: only true and false are booleans, no dates."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(true|false)$"), list("tf"))


def load(path):
    return yaml.load(path.read_text(), Loader)


def validator(name):
    schemas = {p.name: json.loads(p.read_text()) for p in (ROOT / "schemas").glob("*.schema.json")}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    store = {}
    for file, schema in schemas.items():
        store[file] = schema
        store["https://local/" + file] = schema
    resolver = jsonschema.RefResolver("https://local/" + name, schemas[name], store=store)
    return jsonschema.Draft202012Validator(schemas[name], resolver=resolver)


def mistakes(document):
    """The document with one thing wrong at a time."""
    for change in ("unknown", "missing", "envelope", "entity", "on_error"):
        wrong = copy.deepcopy(document)
        if change == "unknown":
            wrong["topcis"] = ["t"]
        elif change == "missing":
            del wrong["topics"]
        elif change == "envelope":
            wrong["decode"]["envelope"] = "debezum"
        elif change == "entity":
            wrong["entities"][0]["attribtues"] = {}
        else:
            wrong["on_error"] = "skip"
        yield change, wrong


def policy_mistakes(document):
    for change, edit in (("unknown", lambda d: d.update(rolls={})), ("missing", lambda d: d.pop("roles")),
                         ("power", lambda d: d["roles"]["agent"][0].update(powers=["reed"])),
                         ("rule", lambda d: d["roles"]["agent"][0].update(wen="true")),
                         ("star", lambda d: d["roles"]["grantor"][0].update(in_name_of="a*b")),
                         ("prefix", lambda d: d["issuers"][0].update(prefix="user")),
                         ("algorithm", lambda d: d["issuers"][0].update(algorithms=["HS256"]))):
        wrong = copy.deepcopy(document)
        edit(wrong)
        yield change, wrong


def main():
    failed = 0
    connector = validator("connector.schema.json")
    files = sorted((ROOT / "docs/connectors").glob("*.yaml")) + sorted((ROOT / "docs/demo/connectors").glob("*.yaml"))
    checked = [(connector, path) for path in files]
    checked.append((validator("entities.schema.json"), ROOT / "docs/demo/entities.yaml"))
    checked.append((validator("config.schema.json"), ROOT / "docs/demo/mandated.yaml"))
    policy, example = validator("policy.schema.json"), ROOT / "docs/policy/policy.yaml"
    checked.append((policy, example))
    for schema, path in checked:
        for error in schema.iter_errors(load(path)):
            print(f"{path.relative_to(ROOT)}: {'.'.join(map(str, error.absolute_path))}: {error.message}")
            failed += 1
    for path in files:
        for change, wrong in mistakes(load(path)):
            if connector.is_valid(wrong):
                print(f"{path.relative_to(ROOT)}: a planted mistake ({change}) is not found")
                failed += 1
    for change, wrong in policy_mistakes(load(example)):
        if policy.is_valid(wrong):
            print(f"{example.relative_to(ROOT)}: a planted mistake ({change}) is not found")
            failed += 1
    print(f"{len(checked)} files, {failed} problems")
    return failed != 0 or len(files) < 10


if __name__ == "__main__":
    sys.exit(main())
