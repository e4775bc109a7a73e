"""Conditions on the inputs of a request, such as `purpose == 3 and features[1] > 5000`.

Invariant: an expression is compared with a list of what is allowed before anything is made of it, and then
walked, never given to the interpreter: no name but an input's, no call, no attribute, no text. It is read for
all rows at once, and answers one truth a row.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro_cli.serving.errors import RequestError, quoted
from maestro_cli.serving.protocol.tensors import Array

MAX_CHARACTERS = 500
MAX_NODES = 100

_COMPARISONS: dict[type[ast.cmpop], Callable[[Array, Array], Array]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


class ExpressionRefused(Exception):
    """Not an expression that a routing document may hold."""


@dataclass(frozen=True, slots=True)
class Expression:
    """`inputs` are the names that it reads."""

    text: str
    inputs: frozenset[str]
    _tree: ast.expr

    def rows(self, tensors: Mapping[str, Array], count: int) -> NDArray[np.bool_]:
        """One truth for each of `count` rows; raises RequestError when an input is missing or too narrow."""
        with np.errstate(all="ignore"):  # a division by zero is not greater than anything
            found = _value(self._tree, _Rows(tensors, count))
        return np.broadcast_to(found, (count,)).astype(np.bool_)


@dataclass(frozen=True, slots=True)
class _Rows:
    tensors: Mapping[str, Array]
    count: int

    def column(self, name: str, index: int | None) -> Array:
        array = self.tensors.get(name)
        if array is None:
            raise RequestError(f"the route of this model reads input {quoted(name)}, which is missing")
        if array.dtype.kind not in "biuf" or array.ndim == 0 or array.shape[0] != self.count:
            raise RequestError(f"the route of this model cannot read input {quoted(name)} row by row")
        flat = array.reshape(self.count, -1)
        place = 0 if index is None else index
        if place >= flat.shape[1] or (index is None and flat.shape[1] != 1):
            raise RequestError(
                f"the route of this model reads {quoted(name)}[{place}], it has {flat.shape[1]}"
            )
        column: Array = flat[:, place]
        return column.astype(np.float64)


def compile_expression(text: str) -> Expression:
    """Read one; raises ExpressionRefused with what is not allowed."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionRefused(f"longer than {MAX_CHARACTERS} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionRefused(f"not an expression: {getattr(error, 'msg', None) or error}") from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ExpressionRefused(f"more than {MAX_NODES} parts")
    names: set[str] = set()
    _check(tree, names, is_truth=True)
    return Expression(text, frozenset(names), tree)


def _check(node: ast.expr, names: set[str], *, is_truth: bool) -> None:
    """A truth is made of comparisons, `and`, `or`, `not`; a number of columns, numbers and arithmetic."""
    match node:
        case ast.BoolOp(values=values) if is_truth:
            for value in values:
                _check(value, names, is_truth=True)
        case ast.UnaryOp(op=ast.Not(), operand=operand) if is_truth:
            _check(operand, names, is_truth=True)
        case ast.Compare(left=left, ops=ops, comparators=others) if is_truth:
            for place, (op, other) in enumerate(zip(ops, others, strict=True)):
                _check_comparison(op, other, names, is_last=place == len(ops) - 1)
            _check(left, names, is_truth=False)
        case ast.BinOp(left=left, op=op, right=right) if not is_truth and type(op) in _ARITHMETIC:
            _check(left, names, is_truth=False)
            _check(right, names, is_truth=False)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not is_truth:
            _check(operand, names, is_truth=False)
        case ast.Constant(value=value) if not is_truth and _is_number(value):
            pass
        case ast.Name(id=name) if not is_truth:
            names.add(name)
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=index)) if not is_truth and (
            isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 100_000
        ):
            names.add(name)
        case _:
            wanted = "a condition" if is_truth else "a number"
            raise ExpressionRefused(f"{ast.unparse(node)[:60]!r} is not {wanted} that may stand here")


def _check_comparison(op: ast.cmpop, other: ast.expr, names: set[str], *, is_last: bool) -> None:
    if isinstance(op, ast.In | ast.NotIn):
        if not is_last or not isinstance(other, ast.List | ast.Tuple):
            raise ExpressionRefused("`in` needs a list of numbers, and nothing after it")
        for item in other.elts:
            if not (isinstance(item, ast.Constant) and _is_number(item.value)):
                raise ExpressionRefused("`in` needs a list of numbers")
    elif type(op) in _COMPARISONS:
        _check(other, names, is_truth=False)
    else:
        raise ExpressionRefused("`is` is not a comparison of numbers")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _value(node: ast.expr, rows: _Rows) -> Array:
    """What a checked node is, for every row."""
    match node:
        case ast.BoolOp(op=op, values=values):
            combine = np.logical_and if isinstance(op, ast.And) else np.logical_or
            found = _value(values[0], rows)
            for value in values[1:]:
                found = combine(found, _value(value, rows))
            return found
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_value(operand, rows))
        case ast.UnaryOp(operand=operand):
            return np.negative(_value(operand, rows))
        case ast.Compare():
            return _compare(node, rows)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, rows), _value(right, rows))
        case ast.Constant(value=value):
            return np.float64(value)  # type: ignore[arg-type, return-value]  # checked to be a number
        case ast.Name(id=name):
            return rows.column(name, None)
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=index)):
            return rows.column(name, int(index))  # type: ignore[arg-type]  # checked to be an integer
    raise AssertionError(f"unchecked {type(node).__name__}")


def _compare(node: ast.Compare, rows: _Rows) -> Array:
    found: Array = np.array(True)
    left = _value(node.left, rows)
    for op, other in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn):
            among = [item.value for item in other.elts]  # type: ignore[attr-defined]  # checked to be a list
            holds = np.isin(left, among, invert=isinstance(op, ast.NotIn))
        else:
            right = _value(other, rows)
            holds = _COMPARISONS[type(op)](left, right)
            left = right
        found = np.logical_and(found, holds)
    return found
