"""Whatever msgspec makes of plain data, its type is gathered by one thread first.

msgspec (0.22) shows other threads a type that it has gathered in part, and reading that ends the process.
"""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import pytest

import maestro_cli
from maestro_cli.core.decoding import ready

T = TypeVar("T")

PACKAGE = Path(maestro_cli.__file__).parent

ALLOWED = {"core/decoding.py"}
_CONVERTS = {"convert": 1, "Decoder": 0}  # the place of the type among the arguments


def _types(tree: ast.AST) -> Iterator[ast.expr]:
    """The type that each call of msgspec is given."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not ast.unparse(node.func).startswith("msgspec."):
            continue
        yield from (word.value for word in node.keywords if word.arg == "type")
        place = _CONVERTS.get(node.func.attr)
        if place is not None and len(node.args) > place:
            yield node.args[place]


def _unready(text: str) -> list[str]:
    if "msgspec" not in text:  # no need to parse what cannot call it
        return []
    return [ast.unparse(one) for one in _types(ast.parse(text)) if not ast.unparse(one).startswith("ready(")]


def test_every_type_that_is_converted_to_is_ready() -> None:
    found = {
        str(path.relative_to(PACKAGE)): names
        for path in sorted(PACKAGE.rglob("*.py"))
        if str(path.relative_to(PACKAGE)) not in ALLOWED
        and (names := _unready(path.read_text(encoding="utf-8")))
    }
    assert not found, "write ready(KIND) of maestro_cli.core.decoding around each"


@pytest.mark.parametrize(
    "line",
    [
        "msgspec.convert(a, Kind)",
        "msgspec.json.decode(a, type=Kind)",
        "msgspec.msgpack.decode(a, type=list[Kind], dec_hook=hook)",
        "x = msgspec.json.Decoder(Kind).decode",
    ],
)
def test_one_that_is_not_is_found(line: str) -> None:
    assert _unready(line)


_THREADS = """
import sys, threading, msgspec
from maestro_cli.core.decoding import ready
sys.setswitchinterval(1e-6)
made = ready if sys.argv[1] == "ready" else (lambda kind: kind)
FIELDS = [f"f{i}: dict[str, list[tuple[float, str]]] | None = None" for i in range(60)]
B = "class B(msgspec.Struct):\\n    " + "\\n    ".join(FIELDS)
CLASSES = f"import msgspec\\n{B}\\nclass A(msgspec.Struct):\\n    b: list[B] = []\\n"
for _ in range(100):
    names = {}
    exec(CLASSES, names)
    gate = threading.Barrier(4)
    def convert(kind, data):
        gate.wait()
        for _ in range(20):
            msgspec.convert(data, made(kind))
    told = [(names["A"], {"b": [{"f59": {}}]}), (names["B"], {"f59": {"a": [[1.0, "b"]]}})] * 2
    threads = [threading.Thread(target=convert, args=one) for one in told]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
"""


def test_threads_that_convert_to_one_type_for_the_first_time_see_it_whole() -> None:
    done = subprocess.run([sys.executable, "-c", _THREADS, "ready"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_they_do_not_without_it_so_that_it_is_still_needed() -> None:
    tries = (subprocess.run([sys.executable, "-c", _THREADS, ""]).returncode for _ in range(20))
    assert -signal.SIGSEGV in tries


def test_of_equal_types_it_is_the_first_that_is_known() -> None:
    class Kept(msgspec.Struct, Generic[T]):
        value: T

    first = ready(Kept[int])
    for clean in typing._cleanups:  # type: ignore[attr-defined]
        clean()  # as when more aliases were made than are kept
    assert Kept[int] is not first
    assert ready(Kept[int]) is first
