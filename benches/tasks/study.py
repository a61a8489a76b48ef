"""P14: a study: five laws, four thresholds, ten cuts, a thousand replicates of each, on 240 rows; one call of `sf.study`.

There is no peer: SciPy would take 200,000 local fits for the same. The objective is that of the best of the five at the
published threshold on all rows.
"""

from __future__ import annotations

import polars as pl

import scalefast as sf
from measure import THREADS, Row, median_time_s, replication_rows, seconds

REPLICATES = 1000
DELTAS = (1e-3, 3e-3, 1e-2, 3e-2)
CUTS = 10
TARGET_S, MOONSHOT_S = 180.0, 30.0
#: The published form, its exponents tied, a common outer exponent, Kaplan's joint form, and no irreducible loss.
LAWS: dict[str, tuple[str, dict[str, str]]] = {
    "two terms": ("E + A/N**alpha + B/D**beta", {}),
    "one exponent": ("E + A/N**alpha + B/D**beta", {"beta": "alpha"}),
    "outer exponent": ("E + (A/N**alpha + B/D**beta)**gamma", {}),
    "joint": ("((A/N)**(alpha/beta) + B/D)**beta", {}),
    "no floor": ("A/N**alpha + B/D**beta", {}),
}


def specs() -> dict[str, sf.FitSpec]:
    """The twenty specifications."""
    found = {}
    for name, (law, tied) in LAWS.items():
        for delta in DELTAS:
            found[f"{name}, {delta:g}"] = sf.FitSpec(
                law,
                columns={"N": "N", "D": "D"},
                residual="log",
                loss=sf.Huber(delta),
                tied=tied,
                resample=sf.Bootstrap(REPLICATES, interval="percentile"),
                threads=THREADS,
            )
    return found


def run() -> list[Row]:
    columns, source = replication_rows()
    frame, results = pl.DataFrame(columns), []

    def ours() -> None:
        results.append(sf.study(frame, specs(), cuts=CUTS, along="6*N*D"))

    ours_s = median_time_s(ours, repeats=1, warm=0)
    summary = results[0].summary
    ended = summary["status"].is_in(["converged", "at-bound"]).to_numpy().mean()
    fits = [fit for fit in results[0].fits if fit is not None]
    counted = sum(fit.draws["status"].is_in(["converged", "at-bound"]).sum() for fit in fits)
    replicates = REPLICATES * summary.height
    best = summary.filter(pl.col("spec") == "two terms, 0.001", pl.col("cut").is_null())["objective"][0]
    return [
        Row(
            task="P14",
            title=f"{len(LAWS)} laws × {len(DELTAS)} thresholds × {CUTS} cuts × {REPLICATES} replicates, {source}",
            ours=f"{seconds(ours_s)}, {seconds(ours_s / replicates)} a replicate",
            peer="none",
            peer_name=f"{replicates} global fits; all rows count as an eleventh cut",
            figure=seconds(ours_s),
            target="≤ 3 minutes (moonshot 30 s)",
            met=ours_s <= TARGET_S,
            objective=float(best),
            success=f"{100 * ended:.1f} % of {summary.height} fits, "
            f"{100 * counted / replicates:.1f} % of the replicates",
            notes=(
                f"{'within' if ours_s <= MOONSHOT_S else 'beyond'} the moonshot; two terms reach the objective shown",
            ),
        )
    ]
