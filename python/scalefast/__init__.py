"""Fit scaling laws, and turn them into compute-optimal sizes.

Names only: everything is loaded when first used (PEP 562), so `import scalefast` loads neither NumPy nor Polars.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalefast import units as units
    from scalefast._accounting import Accounting as Accounting
    from scalefast._artifact import SavedFit as SavedFit
    from scalefast._artifact import load as load
    from scalefast._buildable import ShapeRules as ShapeRules
    from scalefast._buildable import buildable as buildable
    from scalefast._cancel import CancelToken as CancelToken
    from scalefast._codes import codes as codes
    from scalefast._compare import compare as compare
    from scalefast._core import __version__ as __version__
    from scalefast._design import FixedRatio as FixedRatio
    from scalefast._design import IsoFLOP as IsoFLOP
    from scalefast._errors import DataError as DataError
    from scalefast._errors import FormulaError as FormulaError
    from scalefast._errors import LawError as LawError
    from scalefast._errors import ScalefastError as ScalefastError
    from scalefast._errors import SettingsError as SettingsError
    from scalefast._errors import UnitsError as UnitsError
    from scalefast._family import accountings as accountings
    from scalefast._family import serving_cost as serving_cost
    from scalefast._family import training_cost as training_cost
    from scalefast._files import read_file as read_file
    from scalefast._fit import Certificate as Certificate
    from scalefast._fit import Fit as Fit
    from scalefast._fit import fit as fit
    from scalefast._groups import fit_groups as fit_groups
    from scalefast._hardware import accelerators as accelerators
    from scalefast._law import Law as Law
    from scalefast._law import law as law
    from scalefast._law import laws as laws
    from scalefast._lawfile import Parameter as Parameter
    from scalefast._lawfile import Variable as Variable
    from scalefast._lifetime import lifetime_cost as lifetime_cost
    from scalefast._losses import Asymmetric as Asymmetric
    from scalefast._losses import Cauchy as Cauchy
    from scalefast._losses import Huber as Huber
    from scalefast._losses import Loss as Loss
    from scalefast._losses import Pinball as Pinball
    from scalefast._losses import SoftL1 as SoftL1
    from scalefast._losses import Squared as Squared
    from scalefast._manifest import CommandManifest as CommandManifest
    from scalefast._manifest import Manifest as Manifest
    from scalefast._noise import Additive as Additive
    from scalefast._noise import LogNormal as LogNormal
    from scalefast._noise import Residuals as Residuals
    from scalefast._noise import RunLevel as RunLevel
    from scalefast._noise import StudentT as StudentT
    from scalefast._overtraining import overtraining as overtraining
    from scalefast._plan import Plan as Plan
    from scalefast._plan import plan as plan
    from scalefast._resampling import Bootstrap as Bootstrap
    from scalefast._resampling import Jackknife as Jackknife
    from scalefast._shape import Transformer as Transformer
    from scalefast._simulate import simulate as simulate
    from scalefast._solve import solve as solve
    from scalefast._spec import FitSpec as FitSpec
    from scalefast._starts import Grid as Grid
    from scalefast._starts import Sobol as Sobol
    from scalefast._study import Study as Study
    from scalefast._study import study as study
    from scalefast._sweep import Sweep as Sweep
    from scalefast._sweep import sweep as sweep
    from scalefast._units import Accelerators as Accelerators
    from scalefast._units import Uncertain as Uncertain

#: Public name and the module that it lives in.
_HOME = {
    "Accelerators": "_units",
    "Accounting": "_accounting",
    "Additive": "_noise",
    "Asymmetric": "_losses",
    "Bootstrap": "_resampling",
    "CancelToken": "_cancel",
    "Cauchy": "_losses",
    "Certificate": "_fit",
    "CommandManifest": "_manifest",
    "DataError": "_errors",
    "Fit": "_fit",
    "FitSpec": "_spec",
    "FixedRatio": "_design",
    "FormulaError": "_errors",
    "Grid": "_starts",
    "Huber": "_losses",
    "IsoFLOP": "_design",
    "Jackknife": "_resampling",
    "Law": "_law",
    "LawError": "_errors",
    "LogNormal": "_noise",
    "Loss": "_losses",
    "Manifest": "_manifest",
    "Parameter": "_lawfile",
    "Pinball": "_losses",
    "Plan": "_plan",
    "Residuals": "_noise",
    "RunLevel": "_noise",
    "SavedFit": "_artifact",
    "ScalefastError": "_errors",
    "SettingsError": "_errors",
    "ShapeRules": "_buildable",
    "Sobol": "_starts",
    "SoftL1": "_losses",
    "Squared": "_losses",
    "StudentT": "_noise",
    "Study": "_study",
    "Sweep": "_sweep",
    "Transformer": "_shape",
    "Uncertain": "_units",
    "UnitsError": "_errors",
    "Variable": "_lawfile",
    "__version__": "_core",
    "accelerators": "_hardware",
    "accountings": "_family",
    "buildable": "_buildable",
    "codes": "_codes",
    "compare": "_compare",
    "fit": "_fit",
    "fit_groups": "_groups",
    "law": "_law",
    "laws": "_law",
    "lifetime_cost": "_lifetime",
    "load": "_artifact",
    "overtraining": "_overtraining",
    "plan": "_plan",
    "read_file": "_files",
    "serving_cost": "_family",
    "simulate": "_simulate",
    "solve": "_solve",
    "study": "_study",
    "sweep": "_sweep",
    "training_cost": "_family",
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
