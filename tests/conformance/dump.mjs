// SPDX-License-Identifier: Apache-2.0
// Writes the package's tests as JSON lines, FOLDER/conformance.jsonl and so on: {"suite": [...], "test": a SimpleTest in
// proto3 JSON, and the goldens "ast", "checkedAst", "type", "error" where there are some}.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { writeFileSync } from "node:fs";

const [modules, folder] = process.argv.slice(2);
const require = createRequire(pathToFileURL(modules + "/"));
const { toJson } = require("@bufbuild/protobuf");
const { SimpleTestSchema } = require("@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js");
const { getTestRegistry } = require("@bufbuild/cel-spec/testdata/registry.js");
const suites = require("@bufbuild/cel-spec/testdata/tests.js");

const registry = getTestRegistry();
// JSON.stringify forgets the sign of a zero; proto3 JSON may write a double as a string.
const keepSign = (_, v) => (Object.is(v, -0) ? "-0" : v);

function* walk(suite, path) {
  for (const inner of suite.suites) yield* walk(inner, [...path, inner.name]);
  for (const { original, ast, checkedAst, type, error } of suite.tests)
    yield { suite: path, test: toJson(SimpleTestSchema, original, { registry }), ast, checkedAst, type, error };
}

for (const name of ["Conformance", "Parsing", "Checking", "Comprehension"]) {
  const lines = [...walk(suites[`get${name}Suite`](), [])].map((test) => JSON.stringify(test, keepSign) + "\n");
  writeFileSync(`${folder}/${name.toLowerCase()}.jsonl`, lines.join(""));
}
