# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an answer of `mandatectl cel batch`: a few words, or None."""
from tests.conformance import value


def result(test, answer):
    """Against what the specification's test expects."""
    if answer.get("malformed") or answer.get("invalid"):
        return "it %s: %s" % ("is refused" if answer.get("malformed") else "does not compile", answer["errors"][0]["message"])
    got = answer.get("result", {})
    if "evalError" in test:  # its words are not part of the specification
        return None if "error" in got else "an error was expected"
    want = test.get("value")
    if "typedResult" in test:
        if answer.get("deducedType") != test["typedResult"].get("deducedType"):
            return "its type is %s" % answer.get("deducedType")
        want = test["typedResult"].get("result")
        if want is None:  # only checked
            return "it was evaluated" if got else None
    if "value" not in got:
        return "it gives %s" % got
    return None if value.equal(want or {"boolValue": True}, got["value"]) else "it gives %s" % got["value"]


def tree(test, answer, checked):
    """Against the reference implementation's tree: as parsed, or with types and what each node refers to."""
    if "ast" not in test:
        return None if answer.get("phase") == "parse" else "it should not parse"
    if not checked:
        return None if answer.get("ast") == test["ast"] else "its tree differs"
    if "checkedAst" in test:
        return None if answer.get("checkedAst") == test["checkedAst"] else "its types differ"
    return None if answer.get("phase") == "check" else "it should not check"
