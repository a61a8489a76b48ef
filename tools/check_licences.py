"""Checks the licence of every crate that scalefast is built from against an allow-list.

In: `cargo metadata`. Out: exit code 1 and one line for each crate whose licence expression (SPDX) offers no
choice within the list.
"""

import json
import re
import subprocess
import sys

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}


def permitted(expression: str) -> bool:
    """Whether an SPDX expression can be satisfied: one side of each OR, both sides of each AND."""
    # Older manifests write "MIT/Apache-2.0" for a choice.
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def alternatives() -> bool:
        result = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            result = conjunction() or result
        return result

    def conjunction() -> bool:
        result = licence()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            result = licence() and result
        return result

    def licence() -> bool:
        name = tokens.pop(0)
        if name == "(":
            result = alternatives()
            return tokens.pop(0) == ")" and result
        if tokens and tokens[0] == "WITH":
            name = f"{name} {tokens.pop(0)} {tokens.pop(0)}"
        return name in ALLOWED

    try:
        return alternatives() and not tokens
    except IndexError:  # the expression ended too early
        return False


def main() -> int:
    """Prints the refused crates; the exit code says whether there are any."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["packages"]
    refused = [p for p in packages if not permitted(p["license"] or "")]
    for p in refused:
        print(f"{p['name']} {p['version']}: licence {p['license'] or 'not stated'} is not on the list", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
