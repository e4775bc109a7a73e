"""Values that are right already are not validated again.

Invariant: what needs conversion is converted by typer, as ever. Typer loads pydantic (100 ms) to validate
even a text or an absent value; this answers those itself, so that most commands never load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer.core
from typer._coercion import RuntimeParam, TypeDescriptor, build_runtime_param

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
        return build_runtime_param(self.descriptor).coerce(value, param, ctx)


def spare_validation() -> None:
    """Put the shortcut in the place where typer asks how to convert a parameter."""
    typer.core.build_runtime_param = _sparing  # type: ignore[attr-defined]


def _sparing(descriptor: TypeDescriptor) -> RuntimeParam:
    info = descriptor.parameter_info
    if info.parser is not None or descriptor.file_annotation is not None or descriptor.is_path:
        return build_runtime_param(descriptor)
    return _Sparing(info, descriptor.annotation, descriptor)
