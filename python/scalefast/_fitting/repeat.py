"""A fit made again from its manifest.

Stage: after fits. In: a `Manifest` and the runs of the first fit. Out: an equal `Fit`, or an error that says what differs.
"""

from __future__ import annotations

from typing import Any

from scalefast._base.errors import DataError, SettingsError
from scalefast._fitting.fit import Fit, run_fit
from scalefast._fitting.manifest import Manifest, data_hash
from scalefast._fitting.spec import HOW_IT_RUNS

__all__ = ["repeat"]


def repeat(manifest: Manifest, runs: Any, **how: Any) -> Fit:
    """The fit of a manifest again.

    Parameters
    ----------
    manifest
        That of the first fit, or one read with `Manifest.load`.
    runs
        The rows of the first fit, in the same order.
    how
        The settings of `sf.fit` that change no result: threads, progress, timeout_s, on_interrupt, draws_to, overwrite.

    Returns
    -------
    Fit
        Equal to the first one.

    Raises
    ------
    DataError
        `other-data`: the bound columns of `runs` are not those of the manifest.
    SettingsError
        `repeat-with-settings`: any other setting is given.

    Examples
    --------
    >>> import scalefast as sf
    >>> points = {"N": [1e8, 1e9, 1e10] * 3, "D": [1e10] * 3 + [1e11] * 3 + [1e12] * 3}
    >>> runs = sf.law("hoffmann-2022").predict(points)
    >>> fit = sf.fit(runs, "chinchilla")
    >>> sf.repeat(fit.manifest, runs) == fit
    True
    """
    for name in how:
        if name not in HOW_IT_RUNS:
            message = f"the manifest settles everything that changes the result, and {name}= is given too"
            raise SettingsError(message, code="repeat-with-settings", hint=f"leave out {name}=")
    fit = run_fit(manifest.spec.replace(**how), runs)
    found = data_hash(fit._rows)
    if found != manifest.data:
        raise DataError(
            f"these are not the rows of the manifest: {found[:20]}… of {fit.n_rows} rows, "
            f"not {manifest.data[:20]}… of {manifest.n_rows}",
            code="other-data",
            value=float(fit.n_rows),
            limit=float(manifest.n_rows),
            hint="repeat with the file, the order of rows and the columns of the first run",
        )
    return fit
