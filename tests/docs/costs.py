# SPDX-License-Identifier: Apache-2.0
"""The table in docs/conditions.md of what each function costs, from what `mandatectl cel functions` says.

    costs.py MANDATECTL     prints the table, to be put into the page when functions change
"""
import json
import subprocess
import sys


def table(mandatectl):
    listed = subprocess.run([mandatectl, "cel", "functions", "--json"], text=True, stdout=subprocess.PIPE, check=True).stdout
    groups, prices, seen = {}, {}, []
    for row in map(json.loads, listed.splitlines()):
        call = row["function"].rsplit(" -> ", 1)[0]
        name = ("." if row["receiver"] else "") + row["name"]
        prices.setdefault(name, set()).add(row["units"])
        seen.append((row["units"], name, call))
    for units, name, call in seen:
        shown = "`%s`" % (call if len(prices[name]) > 1 else name)
        group = groups.setdefault(units, [])
        if shown not in group:
            group.append(shown)
    lines = ["| units | functions |", "|---|---|"]
    return lines + ["| %s | %s |" % (units, ", ".join(names)) for units, names in groups.items()]


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1])))
