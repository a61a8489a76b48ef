"""Fit scaling laws, and turn them into compute-optimal sizes.

Names only: everything is loaded when first used (PEP 562), so `import scalefast` loads neither NumPy nor Polars.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalefast._core import __version__ as __version__
    from scalefast._errors import DataError as DataError
    from scalefast._errors import FormulaError as FormulaError
    from scalefast._errors import LawError as LawError
    from scalefast._errors import ScalefastError as ScalefastError
    from scalefast._errors import SettingsError as SettingsError
    from scalefast._errors import UnitsError as UnitsError
    from scalefast._law import Law as Law
    from scalefast._law import law as law
    from scalefast._law import laws as laws
    from scalefast._losses import Asymmetric as Asymmetric
    from scalefast._losses import Cauchy as Cauchy
    from scalefast._losses import Huber as Huber
    from scalefast._losses import Loss as Loss
    from scalefast._losses import Pinball as Pinball
    from scalefast._losses import SoftL1 as SoftL1
    from scalefast._losses import Squared as Squared

#: Public name and the module that it lives in.
_HOME = {
    "__version__": "_core",
    "Asymmetric": "_losses",
    "Cauchy": "_losses",
    "DataError": "_errors",
    "FormulaError": "_errors",
    "Huber": "_losses",
    "Law": "_law",
    "LawError": "_errors",
    "Loss": "_losses",
    "Pinball": "_losses",
    "ScalefastError": "_errors",
    "SettingsError": "_errors",
    "SoftL1": "_losses",
    "Squared": "_losses",
    "UnitsError": "_errors",
    "law": "_law",
    "laws": "_law",
}

__all__ = [name for name in _HOME if not name.startswith("_")]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'scalefast' has no attribute {name!r}")
    value = getattr(import_module(f"scalefast.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
