# SPDX-License-Identifier: Apache-2.0
"""Whether two cel.expr.Value in JSON are the same value."""
import math


def _double(v):
    return float(v.replace("Infinity", "inf")) if isinstance(v, str) else float(v)


def _entries_equal(want, got):
    left = list(got)
    if len(want) != len(got):
        return False
    for entry in want:
        found = [e for e in left if equal(entry["key"], e["key"]) and equal(entry["value"], e["value"])]
        if not found:
            return False
        left.remove(found[0])
    return True


def equal(want, got):
    if list(want) == ["enumValue"] and list(got) == ["int64Value"]:  # an enumeration's value is an int
        return str(want["enumValue"].get("value", 0)) == got["int64Value"]
    if len(want) != 1 or list(want) != list(got):
        return False
    (kind, w), (_, g) = *want.items(), *got.items()
    if kind == "doubleValue":
        w, g = _double(w), _double(g)
        return (math.isnan(w) and math.isnan(g)) or (w == g and math.copysign(1, w) == math.copysign(1, g))
    if kind == "listValue":
        w, g = w.get("values", []), g.get("values", [])
        return len(w) == len(g) and all(equal(x, y) for x, y in zip(w, g))
    if kind == "mapValue":
        return _entries_equal(w.get("entries", []), g.get("entries", []))
    return w == g
