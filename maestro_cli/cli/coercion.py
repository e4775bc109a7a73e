"""Values that are right already are not validated again.

Invariant: what needs conversion is converted by typer, as ever. Typer loads pydantic (100 ms) to validate
even a text or an absent value; this answers those itself, so that most commands never load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.core
from typer._coercion import RuntimeParam, TypeDescriptor, build_runtime_param
from typer._param_types import coerce_cli_path

_PLAIN = (str, bool, int, float)


@dataclass(frozen=True)
class _Sparing(RuntimeParam):
    """Any: the parser library is private to typer."""

    descriptor: TypeDescriptor

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        annotation = self.descriptor.annotation
        if (
            annotation in _PLAIN
            and type(value) is annotation
            and (annotation is str or value == param.default)
        ):
            return value
        if annotation is Path and type(value) is str:  # typer would have pydantic make the path of it
            return coerce_cli_path(Path(value), self.parameter_info, path_type=Path, param=param, ctx=ctx)
        if annotation == list[str] and all(type(one) is str for one in value):
            return list(value)
        return build_runtime_param(self.descriptor).coerce(value, param, ctx)


def spare_validation() -> None:
    """Put the shortcut in the place where typer asks how to convert a parameter."""
    typer.core.build_runtime_param = _sparing  # type: ignore[attr-defined]


def _sparing(descriptor: TypeDescriptor) -> RuntimeParam:
    info = descriptor.parameter_info
    is_other_path = descriptor.is_path and descriptor.annotation is not Path
    if info.parser is not None or descriptor.file_annotation is not None or is_other_path or info.path_type:
        return build_runtime_param(descriptor)
    return _Sparing(info, descriptor.annotation, descriptor)
