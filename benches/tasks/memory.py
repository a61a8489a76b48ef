"""P11: memory that a fit of ten million rows adds at its peak, against the size of its input columns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from measure import Row

ROWS = 10_000_000

# A process of its own, since a peak never falls. Writing 5 to clear_refs resets it (proc(5)).
PROGRAM = f"""
import json, resource, sys
sys.path.insert(0, sys.argv[1])
from measure import two_term_rows
from tasks.million_rows import local_fit
local_fit(two_term_rows(1000))
columns = two_term_rows({ROWS})
open("/proc/self/clear_refs", "w").write("5")
before = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
fit = local_fit(columns)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
after = int(status["VmHWM"].split()[0]) * 1024
print(json.dumps({{"added": after - before, "columns": sum(c.nbytes for c in columns.values())}}))
"""


def run() -> list[Row]:
    if not Path("/proc/self/clear_refs").exists():
        raise RuntimeError("the peak of resident memory can be reset on Linux only")
    here = str(Path(__file__).parent.parent)
    output = subprocess.run([sys.executable, "-c", PROGRAM, here], check=True, capture_output=True, text=True).stdout
    measured = json.loads(output)
    ratio = measured["added"] / measured["columns"]
    return [
        Row(
            task="P11",
            title="peak memory added by a fit of 10 M rows",
            ours=f"{measured['added'] / 1e6:.0f} MB",
            peer=f"{measured['columns'] / 1e6:.0f} MB",
            peer_name="the input columns",
            figure=f"{ratio:.2f}×",
            target="≤ 2.25× (moonshot 1.25×)",
            met=ratio <= 2.25,
        )
    ]
