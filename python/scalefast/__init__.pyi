# Written by tools/write_stub.py from the table in __init__.py.
from scalefast import units as units
from scalefast._core import __version__ as __version__
from scalefast._base.command_manifest import CommandManifest as CommandManifest
from scalefast._base.errors import DataError as DataError
from scalefast._base.errors import FormulaError as FormulaError
from scalefast._base.errors import LawError as LawError
from scalefast._base.errors import ScalefastError as ScalefastError
from scalefast._base.errors import SettingsError as SettingsError
from scalefast._base.errors import UnitsError as UnitsError
from scalefast._base.explain import codes as codes
from scalefast._base.numbers import Accelerators as Accelerators
from scalefast._base.numbers import Uncertain as Uncertain
from scalefast._forms.form import Parameter as Parameter
from scalefast._forms.form import Variable as Variable
from scalefast._forms.losses import Asymmetric as Asymmetric
from scalefast._forms.losses import Cauchy as Cauchy
from scalefast._forms.losses import Huber as Huber
from scalefast._forms.losses import Loss as Loss
from scalefast._forms.losses import Pinball as Pinball
from scalefast._forms.losses import SoftL1 as SoftL1
from scalefast._forms.losses import Squared as Squared
from scalefast._calls.cancel import CancelToken as CancelToken
from scalefast._data.files import read_file as read_file
from scalefast._laws.find import law as law
from scalefast._laws.find import laws as laws
from scalefast._laws.law import Law as Law
from scalefast._optimum.checks import check_law as check_law
from scalefast._costs.accounting import Accounting as Accounting
from scalefast._costs.family import serving_cost as serving_cost
from scalefast._costs.family import training_cost as training_cost
from scalefast._costs.hardware import accelerators as accelerators
from scalefast._costs.lifetime import lifetime_cost as lifetime_cost
from scalefast._costs.transformer import Transformer as Transformer
from scalefast._fitting.fit import Fit as Fit
from scalefast._fitting.fit import fit as fit
from scalefast._fitting.groups import fit_groups as fit_groups
from scalefast._fitting.manifest import Manifest as Manifest
from scalefast._fitting.repeat import repeat as repeat
from scalefast._fitting.resampling import Bootstrap as Bootstrap
from scalefast._fitting.resampling import Jackknife as Jackknife
from scalefast._fitting.result import Certificate as Certificate
from scalefast._fitting.saved import load as load
from scalefast._fitting.saved import SavedFit as SavedFit
from scalefast._fitting.spec import FitSpec as FitSpec
from scalefast._fitting.starts import Grid as Grid
from scalefast._fitting.starts import Sobol as Sobol
from scalefast._fitting.study import Study as Study
from scalefast._fitting.study import study as study
from scalefast._simulation.design import FixedRatio as FixedRatio
from scalefast._simulation.design import IsoFLOP as IsoFLOP
from scalefast._simulation.noise import Additive as Additive
from scalefast._simulation.noise import LogNormal as LogNormal
from scalefast._simulation.noise import Residuals as Residuals
from scalefast._simulation.noise import RunLevel as RunLevel
from scalefast._simulation.noise import StudentT as StudentT
from scalefast._simulation.simulate import simulate as simulate
from scalefast._allocation.accountings import accountings as accountings
from scalefast._allocation.compare import compare as compare
from scalefast._allocation.overtraining import overtraining as overtraining
from scalefast._allocation.solve import solve as solve
from scalefast._allocation.sweep import Sweep as Sweep
from scalefast._allocation.sweep import sweep as sweep
from scalefast._planning.buildable import buildable as buildable
from scalefast._planning.buildable import ShapeRules as ShapeRules
from scalefast._planning.plan import Plan as Plan
from scalefast._planning.plan import plan as plan

__all__ = [
    "CommandManifest",
    "DataError",
    "FormulaError",
    "LawError",
    "ScalefastError",
    "SettingsError",
    "UnitsError",
    "codes",
    "Accelerators",
    "Uncertain",
    "Parameter",
    "Variable",
    "Asymmetric",
    "Cauchy",
    "Huber",
    "Loss",
    "Pinball",
    "SoftL1",
    "Squared",
    "CancelToken",
    "read_file",
    "law",
    "laws",
    "Law",
    "check_law",
    "Accounting",
    "serving_cost",
    "training_cost",
    "accelerators",
    "lifetime_cost",
    "Transformer",
    "Fit",
    "fit",
    "fit_groups",
    "Manifest",
    "repeat",
    "Bootstrap",
    "Jackknife",
    "Certificate",
    "load",
    "SavedFit",
    "FitSpec",
    "Grid",
    "Sobol",
    "Study",
    "study",
    "FixedRatio",
    "IsoFLOP",
    "Additive",
    "LogNormal",
    "Residuals",
    "RunLevel",
    "StudentT",
    "simulate",
    "accountings",
    "compare",
    "overtraining",
    "solve",
    "Sweep",
    "sweep",
    "buildable",
    "ShapeRules",
    "Plan",
    "plan",
    "units",
]

_PUBLIC: dict[str, str]
