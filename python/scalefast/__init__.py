"""Fit scaling laws, and turn them into compute-optimal sizes.

Names only: everything is loaded when first used (PEP 562), so `import scalefast` loads neither NumPy nor Polars.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalefast import units as units
    from scalefast._allocation.compare import compare as compare
    from scalefast._allocation.overtraining import overtraining as overtraining
    from scalefast._allocation.solve import solve as solve
    from scalefast._allocation.sweep import Sweep as Sweep
    from scalefast._allocation.sweep import sweep as sweep
    from scalefast._base.errors import DataError as DataError
    from scalefast._base.errors import FormulaError as FormulaError
    from scalefast._base.errors import LawError as LawError
    from scalefast._base.errors import ScalefastError as ScalefastError
    from scalefast._base.errors import SettingsError as SettingsError
    from scalefast._base.errors import UnitsError as UnitsError
    from scalefast._base.explain import codes as codes
    from scalefast._base.numbers import Accelerators as Accelerators
    from scalefast._base.numbers import Uncertain as Uncertain
    from scalefast._calls.cancel import CancelToken as CancelToken
    from scalefast._core import __version__ as __version__
    from scalefast._costs.accounting import Accounting as Accounting
    from scalefast._costs.family import accountings as accountings
    from scalefast._costs.family import serving_cost as serving_cost
    from scalefast._costs.family import training_cost as training_cost
    from scalefast._costs.hardware import accelerators as accelerators
    from scalefast._costs.lifetime import lifetime_cost as lifetime_cost
    from scalefast._costs.transformer import Transformer as Transformer
    from scalefast._data.files import read_file as read_file
    from scalefast._fitting.fit import Certificate as Certificate
    from scalefast._fitting.fit import Fit as Fit
    from scalefast._fitting.fit import fit as fit
    from scalefast._fitting.groups import fit_groups as fit_groups
    from scalefast._fitting.manifest import CommandManifest as CommandManifest
    from scalefast._fitting.manifest import Manifest as Manifest
    from scalefast._fitting.resampling import Bootstrap as Bootstrap
    from scalefast._fitting.resampling import Jackknife as Jackknife
    from scalefast._fitting.saved import SavedFit as SavedFit
    from scalefast._fitting.saved import load as load
    from scalefast._fitting.spec import FitSpec as FitSpec
    from scalefast._fitting.starts import Grid as Grid
    from scalefast._fitting.starts import Sobol as Sobol
    from scalefast._fitting.study import Study as Study
    from scalefast._fitting.study import study as study
    from scalefast._forms.form import Parameter as Parameter
    from scalefast._forms.form import Variable as Variable
    from scalefast._forms.losses import Asymmetric as Asymmetric
    from scalefast._forms.losses import Cauchy as Cauchy
    from scalefast._forms.losses import Huber as Huber
    from scalefast._forms.losses import Loss as Loss
    from scalefast._forms.losses import Pinball as Pinball
    from scalefast._forms.losses import SoftL1 as SoftL1
    from scalefast._forms.losses import Squared as Squared
    from scalefast._laws.law import Law as Law
    from scalefast._laws.law import law as law
    from scalefast._laws.law import laws as laws
    from scalefast._planning.buildable import ShapeRules as ShapeRules
    from scalefast._planning.buildable import buildable as buildable
    from scalefast._planning.plan import Plan as Plan
    from scalefast._planning.plan import plan as plan
    from scalefast._simulation.design import FixedRatio as FixedRatio
    from scalefast._simulation.design import IsoFLOP as IsoFLOP
    from scalefast._simulation.noise import Additive as Additive
    from scalefast._simulation.noise import LogNormal as LogNormal
    from scalefast._simulation.noise import Residuals as Residuals
    from scalefast._simulation.noise import RunLevel as RunLevel
    from scalefast._simulation.noise import StudentT as StudentT
    from scalefast._simulation.simulate import simulate as simulate

#: Public name and the module that it lives in.
_HOME = {
    "Accelerators": "_base.numbers",
    "Accounting": "_costs.accounting",
    "Additive": "_simulation.noise",
    "Asymmetric": "_forms.losses",
    "Bootstrap": "_fitting.resampling",
    "CancelToken": "_calls.cancel",
    "Cauchy": "_forms.losses",
    "Certificate": "_fitting.fit",
    "CommandManifest": "_fitting.manifest",
    "DataError": "_base.errors",
    "Fit": "_fitting.fit",
    "FitSpec": "_fitting.spec",
    "FixedRatio": "_simulation.design",
    "FormulaError": "_base.errors",
    "Grid": "_fitting.starts",
    "Huber": "_forms.losses",
    "IsoFLOP": "_simulation.design",
    "Jackknife": "_fitting.resampling",
    "Law": "_laws.law",
    "LawError": "_base.errors",
    "LogNormal": "_simulation.noise",
    "Loss": "_forms.losses",
    "Manifest": "_fitting.manifest",
    "Parameter": "_forms.form",
    "Pinball": "_forms.losses",
    "Plan": "_planning.plan",
    "Residuals": "_simulation.noise",
    "RunLevel": "_simulation.noise",
    "SavedFit": "_fitting.saved",
    "ScalefastError": "_base.errors",
    "SettingsError": "_base.errors",
    "ShapeRules": "_planning.buildable",
    "Sobol": "_fitting.starts",
    "SoftL1": "_forms.losses",
    "Squared": "_forms.losses",
    "StudentT": "_simulation.noise",
    "Study": "_fitting.study",
    "Sweep": "_allocation.sweep",
    "Transformer": "_costs.transformer",
    "Uncertain": "_base.numbers",
    "UnitsError": "_base.errors",
    "Variable": "_forms.form",
    "__version__": "_core",
    "accelerators": "_costs.hardware",
    "accountings": "_costs.family",
    "buildable": "_planning.buildable",
    "codes": "_base.explain",
    "compare": "_allocation.compare",
    "fit": "_fitting.fit",
    "fit_groups": "_fitting.groups",
    "law": "_laws.law",
    "laws": "_laws.law",
    "lifetime_cost": "_costs.lifetime",
    "load": "_fitting.saved",
    "overtraining": "_allocation.overtraining",
    "plan": "_planning.plan",
    "read_file": "_data.files",
    "serving_cost": "_costs.family",
    "simulate": "_simulation.simulate",
    "solve": "_allocation.solve",
    "study": "_fitting.study",
    "sweep": "_allocation.sweep",
    "training_cost": "_costs.family",
}

__all__ = [*(name for name in _HOME if not name.startswith("_")), "units"]


def __getattr__(name: str) -> Any:
    if name == "units":
        return import_module("scalefast.units")
    if name not in _HOME:
        raise AttributeError(f"module 'scalefast' has no attribute {name!r}")
    value = getattr(import_module(f"scalefast.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, "units"})
