"""Every finding that a fit may have: its code, what it means, what it is held against and what to do.

Stage: diagnostics. The one table: findings take their severity from it, and docs/diagnostics.md is written from it.
Standard library only.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["TABLE", "Finding", "Kind", "found"]

Severity = Literal["info", "warning"]


class Kind(NamedTuple):
    """What a code stands for: severity, meaning, the value it states, the limit, and the remedy."""

    severity: Severity
    meaning: str
    value: str = ""
    limit: str = ""
    remedy: str = ""


class Finding(NamedTuple):
    """One row of the frame."""

    code: str
    severity: str
    message: str
    value: float | None = None
    limit: float | None = None


def found(code: str, message: str, value: float | None = None, limit: float | None = None) -> Finding:
    """A finding of a known code, its numbers to six digits."""
    numbers = (None if number is None else float(f"{number:.6g}") for number in (value, limit))
    return Finding(code, TABLE[code].severity, message, *numbers)


#: In the order of the page: first what was read, then the design, the optimum, the rows, units, resampling.
TABLE: dict[str, Kind] = {
    "bound": Kind("info", "Which column was taken for which symbol, and which names are parameters."),
    "levels": Kind("info", "Which parameters differ by which column (`per=`), and its levels.", "levels"),
    "rows": Kind("info", "How many rows were used.", "rows used", "rows read"),
    "filtered-rows": Kind("info", "How many rows `where` left out.", "rows left out"),
    "dropped-rows": Kind(
        "warning", "Rows that could not be used were dropped, as asked.", "rows dropped", "", "look at them"
    ),
    "range": Kind(
        "info",
        "From which to which compute the runs reach; a plan beyond is an extrapolation.",
        "decades of C in the data",
    ),
    "few-points": Kind(
        "warning",
        "There are hardly more distinct design points than parameters; repeats of a point do not count.",
        "distinct points",
        "twice the free parameters",
        "make more runs, or fix or tie parameters",
    ),
    "duplicate-rows": Kind(
        "warning",
        "Rows are identical to others in every variable and in the response: standard errors count them as new evidence.",
        "identical rows beyond the first of each",
        "0",
        "drop the copies; where they are repeats that agree by chance, keep one with their number as its weight (`weights=`)",
    ),
    "autocorrelated": Kind(
        "warning",
        "Residuals rise and fall together along the only variable (or the last of several, the others and a column of runs "
        "coming first), as along a learning curve: standard errors that take rows for independent are too small.",
        "standard deviations of the Durbin-Watson test",
        "2.326 (one variable), 3.719",
        'say `run=` and `checkpoints="all"`, thin the curve, or fit each with `fit_groups(..., errors="block")`',
    ),
    "collinear": Kind(
        "warning",
        "Two variables rise and fall together, as N and D do at a fixed ratio: their exponents cannot be told apart.",
        "absolute correlation of the logarithms",
        "0.98",
        "add runs off the line, or tie the exponents",
    ),
    "schedule-varies": Kind(
        "warning",
        "A column of the schedule (learning rate, warm-up, batch size, decay) changes along with scale, so that its "
        "effect is part of the fitted exponents.",
        "absolute rank correlation with the scale of the runs",
        "0.8",
        "fit the runs of one schedule, with `where`, or be sure that each was tuned",
    ),
    "checkpoints-mixed": Kind(
        "warning",
        "Several amounts of data stand under one run, and nothing says what to do with them: intermediate checkpoints "
        "lie above the loss of a run that ends there.",
        "runs with several points",
        "0",
        "say `run=` and `checkpoints=` (`--run`, `--checkpoints`)",
    ),
    "not-converged": Kind("warning", "The fit did not converge; the status says how it ended.", "", "", "see `status`"),
    "unconfirmed": Kind(
        "warning",
        "Too few of the starts that no screen had chosen ended in the best optimum, or they ended in too many others: a "
        "better one may not have been found.",
        "share of the starts expected to lead to a better optimum that was not seen",
        "0.02",
        "give bounds or starts, or write the law with fewer parameters",
    ),
    "unbounded": Kind(
        "warning",
        "The objective falls, or hardly rises, as parameters go to infinity together: a simpler law, the limit of this "
        "one, fits as well.",
        "scaled condition number",
        "1e6",
        "fit the limit (an exponent of zero is a logarithm, a rate of zero a straight line), or give bounds",
    ),
    "constant-response": Kind(
        "warning",
        "The response takes one value: nothing can be learnt of how it depends on the variables.",
        "the value",
        "",
        "check which column `y` names",
    ),
    "at-bound": Kind(
        "warning",
        "A parameter stopped at its bound. First-order intervals of the others are conditional: they hold for it held there, as "
        "`interval_method` says (`bound-held`).",
        "the parameter",
        "",
        "widen the bound, or fix the parameter; `fit.profile` and a bootstrap give unconditional intervals",
    ),
    "flat-ridge": Kind(
        "warning",
        "The parameters are nearly exchangeable: many sets fit almost as well.",
        "scaled condition number",
        "1e6",
        "trust predictions near the data rather than single parameters; fix or tie one",
    ),
    "starts": Kind("info", "How many starts ended in the best optimum.", "share of the starts"),
    "rival-optimum": Kind(
        "warning",
        "Another optimum, at other parameters, fits almost as well: the data do not choose between them.",
        "how much higher its objective is, as a share",
        "0.01",
        "give bounds that keep one of them, or more runs",
    ),
    "no-std-error": Kind(
        "warning", "There are no standard errors, for the reason given.", "", "", "resample, or use a larger threshold"
    ),
    "rounded-constants": Kind(
        "warning",
        "A parameter is held at a published constant that was rounded, which biases the others.",
        "the constant",
        "",
        "take the exact set, where there is one",
    ),
    "delta": Kind("info", "How large the threshold of the loss is.", "share of rows in the quadratic zone", "0.3"),
    "delta-near-l1": Kind(
        "warning",
        "The threshold of the loss is so small that the fit is nearly one of least absolute deviations.",
        "share of rows in the quadratic zone",
        "0.3",
        "take `huber:auto`, or a larger threshold",
    ),
    "high-leverage": Kind(
        "warning",
        "One row alone settles a direction of the parameters: the fit passes through it whatever its loss is.",
        "leverage",
        "0.95",
        "repeat that run, or leave it out and see",
    ),
    "influential-row": Kind(
        "warning",
        "Without one row per parameter, and the best N beyond the data, would change by more than the errors say.",
        "change in standard errors",
        "2",
        "look at that run; leave it out with `where` and compare",
    ),
    "influential-unit": Kind(
        "warning",
        "Without one run or row the best N at the budget of the jackknife changes much.",
        "relative change of N",
        "0.25",
        "look at it in `fit.influence`",
    ),
    "looks-scaled": Kind(
        "warning",
        "N or D seems to be in thousands, millions or billions, or C to be in another unit: a fit does not mind, a plan does.",
        "largest value, or median of C over the law's cost",
        "1e5 parameters, 1e6 tokens, a factor of 10",
        'say `units={"N": "millions"}` (`--unit N=millions`)',
    ),
    "cost-ratio": Kind("info", "Median of the given C over the law's cost.", "median ratio"),
    "cost-trend": Kind(
        "warning",
        "The given C and the law's cost drift apart with scale, as they do where attention or embeddings count.",
        "factor between the ends of the range",
        "1.1",
        "say which cost is meant with `cost=`, when sweeping",
    ),
    "runs": Kind("info", "How many runs there are, and how many checkpoints were left out.", "runs"),
    "checkpoints-biased": Kind(
        "warning", "Intermediate checkpoints are used as runs.", "", "", "`checkpoints='final'` leaves them out"
    ),
    "few-clusters": Kind(
        "warning",
        "From so few clusters intervals hold the truth more often than they say, or less often where their kind was not shown "
        "to cover (anything but first order and percentiles of `pairs`).",
        "clusters",
        "10; 50 for other kinds of intervals",
        "leave `kind=` and `interval=` out, or give more runs",
    ),
    "replicates": Kind(
        "info", "How many replicates there are, and how many moved.", "share in another optimum", "0.05"
    ),
    "moved-replicates": Kind(
        "warning",
        "Many replicates moved to another optimum than the estimate leads to: the intervals describe several at once.",
        "share in another optimum",
        "0.05",
        "look at `fit.draws`, or give bounds",
    ),
    "failed-replicates": Kind("warning", "Replicates without a fit do not count.", "share that failed", "0"),
    "interrupted": Kind(
        "warning",
        "The call was interrupted: the best of the starts that were solved, or draws and intervals of the replicates that "
        "were finished.",
        "replicates or starts finished",
        "replicates or starts asked for",
        "`sf.Bootstrap(range(first, wanted))` fits the rest, from the first number that is missing",
    ),
}
