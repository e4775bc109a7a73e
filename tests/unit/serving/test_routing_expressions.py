"""A condition reads numbers of the request, and can do nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.serving.errors import RequestError
from maestro_cli.serving.protocol.tensors import Array
from maestro_cli.serving.routing.expressions import ExpressionRefused, compile_expression

TENSORS: dict[str, Array] = {
    "a": np.array([[1.0], [2.0], [3.0]], dtype=np.float32),
    "f": np.array([[0, 10], [5, 20], [9, 30]], dtype=np.int64),
    "b": np.array([True, False, True]),
    "s": np.array(["x", "y", "z"], dtype=object),
}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a == 2", [0, 1, 0]),
        ("a != 2", [1, 0, 1]),
        ("1 < a <= 3", [0, 1, 1]),
        ("f[1] >= 20 and f[0] < 9", [0, 1, 0]),
        ("a == 1 or a == 3", [1, 0, 1]),
        ("not (a == 1 or a == 3)", [0, 1, 0]),
        ("a in [1, 3]", [1, 0, 1]),
        ("f[0] not in (0, 9)", [0, 1, 0]),
        ("a * 2 + 1 > f[0] - -1", [1, 0, 0]),
        ("f[1] / 10 == a", [1, 1, 1]),
        ("a / 0 > 1e9", [1, 1, 1]),
        ("f[0] / 0 > 1", [0, 1, 1]),  # 0 / 0 is not greater than anything
        ("b == 1", [1, 0, 1]),
        ("2 > 1", [1, 1, 1]),
        ("1 < 2 < a", [0, 0, 1]),
    ],
)
def test_a_condition_holds_row_by_row(text: str, rows: list[int]) -> None:
    assert compile_expression(text).rows(TENSORS, 3).astype(int).tolist() == rows


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "1", "a =", "a = 1", "a; b", "lambda: 1", "a if b else 1", "[a for a in b]", "a.real > 1",
        "a() > 1", "__import__('os').system('true') == 0", "'x' == 'x'", "a == 'x'", "a is 1", "a ** 2 > 1",
        "a // 2 > 1", "a % 2 > 1", "a << 2 > 1", "~a > 1", "a[-1] > 1", "a[b] > 1", "a[0:1] > 1",
        "a[True] > 1", "a[0][0] > 1", "a in b", "a in [b]", "1 in [1] in [2]", "a == None", "a == True",
        "(a := 1) > 0", "f'{a}' == 1", "a == 1j", "a @ a > 1", "*a", "a > 1e999", "not a", "a and b",
        "a == " + "(" * 300 + "1" + ")" * 300,
        "a == 1" + " or a == 1" * 60, "a == 1\x00", "await a", "yield", "{1: 2}[1] > 0", "a > ...",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        compile_expression(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        compile_expression(text).rows(TENSORS, 3)
    except (ExpressionRefused, RequestError):
        return


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("c > 1", "is missing"),
        ("f > 1", "it has 2"),
        ("f[2] > 1", "it has 2"),
        ("s > 1", "row by row"),
    ],
)
def test_a_request_that_lacks_what_is_read_is_the_clients_fault(text: str, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        compile_expression(text).rows(TENSORS, 3)


def test_an_expression_names_what_it_reads() -> None:
    assert compile_expression("a > 1 and f[0] in [1]").inputs == {"a", "f"}
