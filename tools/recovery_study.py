"""How often default fits recover laws that no catalogue knows: `make evidence`.

In: the simulated truths of `benches/simulated_truths.py`, 1,000 of each family. Out: a line for each family with the
share recovered and the seeds of the misses, so that a miss can be looked at.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "benches"))

from simulated_truths import FAMILIES, problems
from tasks.unseen_laws import estimates, fit

COUNT = 1000


def main() -> None:
    """Prints the table."""
    for family, spec in FAMILIES.items():
        misses = [p.seed for p in problems(family, COUNT) if not p.recovered(estimates(fit(p)))]
        print(f"{family}: {COUNT - len(misses)} of {COUNT} recovered, {spec.formula}; misses: {misses or 'none'}")


if __name__ == "__main__":
    main()
