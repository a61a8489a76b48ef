"""Specs as plain values: what JSON can say, and back, every float to the bit and no pickle.

Stage: manifests and artifacts. In: a `FitSpec`. Out: nested dicts, lists, texts and numbers, from which an equal spec is
read again. Polars expressions are kept as Polars' own JSON where they are made of columns, literals, operators and named
functions; anything that would run foreign code when read is kept in words only, and the spec is then not read again.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scalefast._base.errors import LawError, ScalefastError
from scalefast._fitting.resampling import Bootstrap, Jackknife
from scalefast._fitting.spec import HOW_IT_RUNS, FitSpec
from scalefast._fitting.starts import Grid, Sobol
from scalefast._forms.losses import Asymmetric, Cauchy, Huber, Pinball, SoftL1, Squared
from scalefast._forms.read import parse_law_file
from scalefast._forms.write import law_text
from scalefast._laws.law import Law

if TYPE_CHECKING:
    from scalefast._forms.form import LawFile

__all__ = ["plain_law", "plain_spec", "plain_value", "read_law", "read_spec", "read_value"]

#: Stands for the id and title that a typed formula does not have, and a law file must.
_UNNAMED = "own-law"
#: The values that settings of a fit may be, by the names that stand in files.
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (Asymmetric, Bootstrap, Cauchy, Grid, Huber, Jackknife, Pinball, Sobol, SoftL1, Squared)
}
#: Nodes of Polars' JSON that are data: nothing in them can run foreign code.
# fmt: off
_NODES = frozenset({
    "Column", "Literal", "Dyn", "Int", "Float", "Str", "Scalar", "String", "Boolean", "BinaryExpr", "Cast",
    "Alias", "Ternary", "Function", "Pow", "Trigonometry", "Null", "Float64", "Float32", "Int64", "Int32",
    "left", "right", "op", "expr", "dtype", "options", "input", "function", "predicate", "truthy", "falsy",
    "value", "value_type",
})
# fmt: on


def plain_spec(spec: FitSpec) -> dict[str, Any]:
    """The spec as plain values, without what changes no result (threads, time limit)."""
    names = [field.name for field in dataclasses.fields(spec) if field.name not in HOW_IT_RUNS]
    values = {name: getattr(spec, name) for name in names}
    return {
        name: plain_law(spec.resolved_law) if name == "law" else plain_value(value) for name, value in values.items()
    }


def read_spec(fields: Mapping[str, Any]) -> FitSpec:
    """The spec that `plain_spec` described.

    Raises LawError: `expression-not-stored` for a Polars expression kept in words only, `damaged-artifact`.
    """
    try:
        values = {name: read_value(value) for name, value in fields.items() if name != "law"}
        return FitSpec(read_law(fields["law"]), **values)
    except ScalefastError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, pl.exceptions.PolarsError) as error:
        raise LawError("the settings of the fit cannot be read", code="damaged-artifact") from error


def plain_law(law: Law) -> dict[str, Any]:
    """The form as the text of a law file, and which of its sets, or which values, it stands for."""
    form = law.form
    named = dataclasses.replace(form, id=form.id or _UNNAMED, title=form.title or _UNNAMED)
    return {
        "text": law_text(named),
        "named": bool(form.id),
        "titled": bool(form.title),
        "inferred": [name for name, entry in form.parameters.items() if entry.inferred],
        "id": law.id,
        "published": law.published.id if law.published else None,
        "values": dict(law.values) if law.values is not None else None,
    }


def read_law(fields: Mapping[str, Any]) -> Law:
    """The law that `plain_law` described; stored draws stay with the file that they came from."""
    form: LawFile = parse_law_file(fields["text"], "the stored law")
    inferred = fields["inferred"]
    form = dataclasses.replace(
        form,
        id=form.id if fields["named"] else "",
        title=form.title if fields["titled"] else "",
        parameters={
            name: dataclasses.replace(entry, inferred=name in inferred) for name, entry in form.parameters.items()
        },
    )
    published = next((entry for entry in form.published if entry.id == fields["published"]), None)
    return Law(form, published, fields["values"], fields["id"])


def plain_value(value: Any) -> Any:
    """One setting as plain values."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, pl.Expr):
        return {"expression": _expression_tree(value), "words": str(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: plain_value(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__, "fields": fields}
    if isinstance(value, Mapping):
        return {"mapping": [[str(name), plain_value(entry)] for name, entry in value.items()]}
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    if isinstance(value, np.generic):
        return plain_value(value.item())
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if isinstance(value, list | tuple):
        return {"list" if isinstance(value, list) else "tuple": [plain_value(entry) for entry in value]}
    from scalefast._data.frames import collect, read_frame

    frame = collect(read_frame(value))
    return {"frame": [[name, _plain_array(frame[name].to_numpy())] for name in frame.columns]}


def read_value(value: Any) -> Any:
    """The inverse of what `plain_spec` does with one setting."""
    if not isinstance(value, Mapping):
        return value
    kind, content = next(iter(value.items()))
    if kind == "float":
        return float(content)
    if kind == "expression":
        return _read_expression(content, value.get("words", ""))
    if kind == "type":
        return _read_dataclass(content, value["fields"])
    if kind == "mapping":
        return {name: read_value(entry) for name, entry in content}
    if kind == "array":
        return _read_array(value)
    if kind == "range":
        return range(*content)
    if kind in ("list", "tuple"):
        entries = [read_value(entry) for entry in content]
        return entries if kind == "list" else tuple(entries)
    if kind == "frame":
        return pl.DataFrame({name: _read_array(entry) for name, entry in content})
    raise ValueError(kind)


def _plain_array(array: Any) -> dict[str, Any]:
    if array.dtype.kind not in "fiub":
        raise LawError("a setting of the fit holds a table of texts, which is not stored", code="expression-not-stored")
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    text = base64.b64encode(little.tobytes()).decode("ascii")
    return {"array": text, "dtype": little.dtype.str, "shape": list(array.shape)}


def _read_array(fields: Mapping[str, Any]) -> Any:
    kind = np.dtype(fields["dtype"])
    if kind.kind not in "fiub":
        raise ValueError("dtype")
    return np.frombuffer(base64.b64decode(fields["array"]), dtype=kind).reshape(fields["shape"]).copy()


def _read_dataclass(name: str, fields: Mapping[str, Any]) -> Any:
    """A value that a setting may be; any other name is refused."""
    if name not in _KINDS:
        raise ValueError(name)
    return _KINDS[name](**{key: read_value(entry) for key, entry in fields.items()})


def _expression_tree(expression: pl.Expr) -> str | None:
    """Polars' JSON of an expression made of data alone, else None."""
    try:
        text = expression.meta.serialize(format="json")
    except (pl.exceptions.PolarsError, ImportError):
        return None
    return text if _harmless(json.loads(text)) else None


def _read_expression(text: str | None, words: str) -> pl.Expr:
    if text is None or not _harmless(json.loads(text)):
        raise LawError(
            f"the expression {words} is kept in words only",
            code="expression-not-stored",
            hint="give columns and conditions as text, which is stored as it stands",
        )
    return pl.Expr.deserialize(io.StringIO(text), format="json")


def _harmless(tree: Any) -> bool:
    """Whether every node is one of `_NODES`; walked without recursion, whatever its depth."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if not all(name in _NODES for name in node):
                return False
            waiting.extend(entry for name, entry in node.items() if name != "Column")
        elif isinstance(node, Sequence) and not isinstance(node, str):
            waiting.extend(node)
    return True
