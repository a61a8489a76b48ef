"""Fit scaling laws, and turn them into compute-optimal sizes.

Names only: everything is loaded when first used (PEP 562), so `import scalefast` loads neither NumPy nor Polars. Type
checkers and editors read the same names in `__init__.pyi`, which a test holds to the table below.
"""

from importlib import import_module
from typing import Any

#: The public names by the modules that they live in, in the order of the packages; a name stands here and nowhere else.
_PUBLIC = {
    "_core": "__version__",
    "_base.command_manifest": "CommandManifest",
    "_base.errors": "DataError FormulaError LawError ScalefastError SettingsError UnitsError",
    "_base.explain": "codes",
    "_base.numbers": "Accelerators Uncertain",
    "_forms.form": "Parameter Variable",
    "_forms.losses": "Asymmetric Cauchy Huber Loss Pinball SoftL1 Squared",
    "_calls.cancel": "CancelToken",
    "_data.files": "read_file",
    "_laws.find": "law laws",
    "_laws.law": "Law",
    "_optimum.checks": "check_law",
    "_costs.accounting": "Accounting",
    "_costs.family": "serving_cost training_cost",
    "_costs.hardware": "accelerators",
    "_costs.lifetime": "lifetime_cost",
    "_costs.transformer": "Transformer",
    "_fitting.fit": "Fit fit",
    "_fitting.groups": "fit_groups",
    "_fitting.manifest": "Manifest",
    "_fitting.repeat": "repeat",
    "_fitting.resampling": "Bootstrap Jackknife",
    "_fitting.result": "Certificate",
    "_fitting.saved": "load SavedFit",
    "_fitting.spec": "FitSpec",
    "_fitting.starts": "Grid Sobol",
    "_fitting.study": "Study study",
    "_simulation.design": "FixedRatio IsoFLOP",
    "_simulation.noise": "Additive LogNormal Residuals RunLevel StudentT",
    "_simulation.simulate": "simulate",
    "_allocation.accountings": "accountings",
    "_allocation.compare": "compare",
    "_allocation.overtraining": "overtraining",
    "_allocation.solve": "solve",
    "_allocation.sweep": "Sweep sweep",
    "_planning.buildable": "buildable ShapeRules",
    "_planning.plan": "Plan plan",
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names.split()}

__all__ = [*(name for name in _HOMES if not name.startswith("_")), "units"]


def __getattr__(name: str) -> Any:
    if name == "units":
        return import_module("scalefast.units")
    if name not in _HOMES:
        raise AttributeError(f"module 'scalefast' has no attribute {name!r}")
    value = getattr(import_module(f"scalefast.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "units"})
