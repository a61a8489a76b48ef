"""What is worth knowing about a fit: one row a finding, with a stable code and the numbers behind it.

Stage: after a fit, when asked for. In: a fit. Out: a frame of code, severity (`info`, `warning`), message, value, limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from scalefast._base.findings import Finding, found
from scalefast._base.scale import looks_scaled
from scalefast._base.statuses import AT_BOUND, CONSTANT_RESPONSE, UNBOUNDED, UNCONFIRMED, USABLE
from scalefast._data.binding import RESPONSE, spoken
from scalefast._data.levels import level_columns
from scalefast._fitting.evidence import clusters_of, design_findings, given_and_cost, row_findings
from scalefast._forms.losses import Asymmetric, Pinball, Squared

if TYPE_CHECKING:
    from scalefast._fitting.result import Certificate
    from scalefast._fitting.state import FitState

__all__ = ["SCHEMA", "diagnose", "unit_findings"]

SCHEMA = {"code": pl.String, "severity": pl.String, "message": pl.String, "value": pl.Float64, "limit": pl.Float64}

#: Below this share of rows in the quadratic zone a robust loss is nearly least absolute deviations.
_SHARE = 0.30
#: A given C that is off the law's cost by more than this factor is in another unit or of another convention.
_COST_FACTOR = 10.0
#: Scaled condition number beyond which single parameters mean little, though predictions may be fine.
_CONDITION = 1e6
#: Expected share of the starts that lead to a better optimum which was not seen, beyond which a search goes on.
_UNSEEN = 0.02
#: Below so many clusters intervals that cover from there on are too wide, and others too narrow below the second number.
_CLUSTERS, _MANY_CLUSTERS = 10, 50
#: Beyond this share of replicates in another optimum, intervals describe several optima at once.
_MOVED = 0.05


def diagnose(fit: FitState, changes: pl.DataFrame | None) -> pl.DataFrame:
    """See `Fit.diagnostics`; `changes` is `Fit.influence`, None where there is none."""
    findings = [*_rows(fit), *_design(fit), *design_findings(fit), *_optimum(fit), *_robustness(fit)]
    findings += [*row_findings(fit, changes), *unit_findings(fit), *_resampling(fit), *_interruption(fit)]
    return pl.DataFrame(findings, schema=SCHEMA, orient="row")


def _rows(fit: FitState) -> Iterator[Finding]:
    marks = [name for name, entry in fit.law.variables.items() if entry.column]
    taken = ", ".join(f"{spoken(name)} = {source}" for name, source in fit.sources.items() if name not in marks)
    yield found("bound", f"{taken}; parameters: {', '.join(fit.law.parameters)}")
    for column, levels in level_columns(fit.law.form).items():
        of = {entry.of for entry in fit.law.form.parameters.values() if entry.level.startswith(f"{column}=")}
        message = f"one {', '.join(sorted(of))} for each {column}: {', '.join(levels)}"
        yield found("levels", message, float(len(levels)))
    yield found("rows", f"{fit.n_rows} of {fit.n_read} rows used", float(fit.n_rows), float(fit.n_read))
    if fit.n_filtered:
        yield found(
            "filtered-rows", f"the condition on rows leaves out {fit.n_filtered} of them", float(fit.n_filtered)
        )
    if fit.n_dropped:
        yield found("dropped-rows", f"{fit.n_dropped} invalid rows were dropped", float(fit.n_dropped))


def _design(fit: FitState) -> Iterator[Finding]:
    free = len(fit.spec.free)
    points = fit._rows.count_distinct(list(fit.law.variables))
    if points < 2 * free:
        message = f"{points} distinct design points for {free} parameters: fewer than two for each"
        yield found("few-points", message, float(points), 2.0 * free)


def _optimum(fit: FitState) -> Iterator[Finding]:
    certificate = fit.certificate
    if fit.status == CONSTANT_RESPONSE:
        constant = float(fit._rows.arrays[RESPONSE][0])
        yield found("constant-response", f"the response is {constant:g} in every row", constant)
    elif fit.status == UNCONFIRMED:
        yield _unconfirmed(certificate)
    elif fit.status == UNBOUNDED:
        message = (
            "the parameters run to infinity together, or cannot be told from there "
            f"(scaled condition {certificate.condition:.3g})"
        )
        yield found("unbounded", message, certificate.condition, _CONDITION)
    elif fit.status not in USABLE:
        yield found("not-converged", f"the fit ended with status {fit.status}")
    for name, at_bound in zip(fit.spec.free, fit._result.at_bound, strict=True):
        if at_bound:
            value = fit.law.parameters[name]
            yield found(
                "at-bound",
                f"{name} lies on its bound {value:g}: first-order intervals of the others hold for it held there, "
                "those of `profile` and of a bootstrap do not depend on it",
                value,
            )
    if certificate.condition > _CONDITION:
        message = (
            f"the parameters are nearly exchangeable (scaled condition {certificate.condition:.3g}): "
            "trust predictions near the data rather than single parameters"
        )
        yield found("flat-ridge", message, certificate.condition, _CONDITION)
    share = certificate.agreeing / max(certificate.starts, 1)
    message = f"{certificate.agreeing} of {certificate.starts} starts ended in the best optimum"
    yield found("starts", message, share)
    reasons = fit.parameters.filter(pl.col("std_error").is_null() & pl.col("status").is_in(["free", AT_BOUND]))
    refused = [reason for reason in reasons["interval_method"].unique(maintain_order=True).to_list() if reason]
    for reason in refused:
        yield found("no-std-error", f"no standard errors: {reason.replace('-', ' ')}")


def _unconfirmed(certificate: Certificate) -> Finding:
    """What the search saw: how many starts agree, and what the independent ones among them leave open."""
    message = f"{certificate.agreeing} of {certificate.starts} starts ended in the best optimum"
    if certificate.unseen is None:
        return found("unconfirmed", message, certificate.agreeing / max(certificate.starts, 1))
    better = certificate.unseen / ((certificate.optima or 0) + 1)
    message += (
        f"; {certificate.searches} independent starts ended in {certificate.optima} different optima, "
        f"so that {100 * better:.2g} % of all starts may lead to a better one that was not seen"
    )
    return found("unconfirmed", message, better, _UNSEEN)


def _robustness(fit: FitState) -> Iterator[Finding]:
    delta = getattr(fit.loss, "delta", None)
    if delta is None or isinstance(fit.loss, Squared | Asymmetric | Pinball) or not fit.sigma > 0:
        return
    share, ratio = fit.quadratic_share, delta / fit.sigma
    message = (
        f"delta = {delta:.3g} is {ratio:.3g} robust sigma; {100 * share:.0f} % of the rows lie in the quadratic zone"
    )
    if share < _SHARE:
        yield found("delta-near-l1", f"{message}: nearly least absolute deviations", share, _SHARE)
    else:
        yield found("delta", message, share, _SHARE)


def unit_findings(fit: FitState) -> Iterator[Finding]:
    """Numbers that seem to be in other units: of N and D by their size, of C by the law's cost."""
    for scaled in looks_scaled(fit.law.fitted_range):
        yield found("looks-scaled", scaled.message, scaled.value, scaled.limit)
    given, cost = given_and_cost(fit)
    if given is None or cost is None or not len(given):
        return
    ratio = float(np.median(given / cost))
    message = f"median of C/({fit.law.cost}) is {ratio:.4g}"
    if 1 / _COST_FACTOR <= ratio <= _COST_FACTOR:
        yield found("cost-ratio", message, ratio)
    else:
        yield found("looks-scaled", f"{message}: C, N or D is in another unit", ratio, _COST_FACTOR)


def _interruption(fit: FitState) -> Iterator[Finding]:
    solved, starts = fit._result.solved
    if solved < starts:
        resampling = ", and nothing was resampled" if fit.spec.resample is not None else ""
        message = f"interrupted after {solved} of {starts} starts{resampling}"
        yield found("interrupted", message, float(solved), float(starts))


def _resampling(fit: FitState) -> Iterator[Finding]:
    runs, replicates = fit.runs, fit._replicates
    if runs is not None:
        left_out = f", {runs.n_left_out} intermediate checkpoints left out" if runs.n_left_out else ""
        yield found("runs", f"{runs.count} runs by `{runs.column}`{left_out}", float(runs.count))
        if runs.checkpoints == "all":
            message = "intermediate checkpoints are used as runs: biased upwards where the learning rate decays"
            yield found("checkpoints-biased", message)
    yield from _few_clusters(fit)
    if replicates is None:
        return
    count, usable, moved = replicates.counts
    failed = count - usable
    message = f"{count} replicates ({replicates.method}), {moved} of them in another optimum than the estimate leads to"
    if moved > _MOVED * count:
        yield found("moved-replicates", message, moved / count, _MOVED)
    else:
        yield found("replicates", message, moved / count, _MOVED)
    if failed:
        message = f"{failed} of {count} replicates have no fit and do not count"
        yield found("failed-replicates", message, failed / count, 0.0)
    if count < replicates.wanted:
        first = f", the first missing is {replicates.first_missing}"
        message = f"interrupted after {count} of {replicates.wanted} replicates{first}"
        yield found("interrupted", message, float(count), float(replicates.wanted))
    elif replicates.interval_is_missing:
        message = "interrupted in the fits with each unit left out, which bca needs: no interval"
        yield found("interrupted", message, float(count), float(replicates.wanted))


def _few_clusters(fit: FitState) -> Iterator[Finding]:
    """Of first-order errors and of percentiles of whole runs coverage was simulated; of other intervals it was too low."""
    clusters, replicates = clusters_of(fit), fit._replicates
    method = "cluster-jackknife" if replicates is None else replicates.method
    if method not in ("cluster-jackknife", "pairs-percentile", "pairs-expanded") and 0 < clusters < _MANY_CLUSTERS:
        message = f"{clusters} clusters: {method} intervals from fewer than {_MANY_CLUSTERS} are too narrow"
        yield found("few-clusters", message, float(clusters), float(_MANY_CLUSTERS))
    elif 0 < clusters < _CLUSTERS:
        message = f"{clusters} clusters: {method} intervals of 90 % from so few hold the truth in 95 to 99 %, too wide"
        yield found("few-clusters", message, float(clusters), float(_CLUSTERS))
