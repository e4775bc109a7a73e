"""What typer would have refused is still refused; what is right already loads no pydantic."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer
import typer.core
from typer.testing import CliRunner

from maestro_cli.cli.coercion import spare_validation

app = typer.Typer()


@app.command()
def command(
    text: Annotated[str, typer.Option()] = "a",
    count: Annotated[int, typer.Option(min=0)] = 3,
    share: Annotated[float | None, typer.Option()] = None,
    words: Annotated[list[str] | None, typer.Option("--word")] = None,
    file: Annotated[Path | None, typer.Option()] = None,
) -> None:
    typer.echo(repr((text, count, share, words, file)))


@pytest.fixture(autouse=True)
def sparing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typer.core, "build_runtime_param", typer.core.__dict__["build_runtime_param"])
    spare_validation()


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ([], "('a', 3, None, None, None)"),
        (["--text", "7", "--count", "3"], "('7', 3, None, None, None)"),
        (["--share", "0.5", "--word", "x", "--word", "y"], "('a', 3, 0.5, ['x', 'y'], None)"),
    ],
)
def test_values_arrive_as_they_are_annotated(arguments: list[str], printed: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == printed


@pytest.mark.parametrize("arguments", [["--count", "-1"], ["--count", "x"], ["--share", "x"]])
def test_what_does_not_fit_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_a_command_with_defaults_loads_no_pydantic() -> None:
    code = (
        "import sys\nfrom maestro_cli.cli.main import run\nrun(['drill', 'list'])\n"
        "sys.exit('pydantic' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
