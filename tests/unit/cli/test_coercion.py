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


paths = typer.Typer()


@paths.command("paths")
def of_paths(
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    folder: Annotated[Path | None, typer.Option(exists=True, file_okay=False)] = None,
) -> None:
    raise AssertionError((file, folder))


@pytest.fixture(autouse=True)
def sparing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typer.core, "build_runtime_param", typer.core.__dict__["build_runtime_param"])
    spare_validation()


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ([], "('a', 3, None, None, None)"),
        (["--text", "7", "--count", "3"], "('7', 3, None, None, None)"),
        (["--file", "a/../b"], f"('a', 3, None, None, {Path('a/../b')!r})"),
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


@pytest.mark.parametrize(
    ("kind", "said"), [("", "does not exist"), ("file", "is a directory"), ("folder", "is a file")]
)
def test_a_path_that_does_not_fit_is_refused(kind: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "it"
    if kind == "file":
        path.mkdir()
    elif kind:
        path.write_text("")
    result = CliRunner().invoke(paths, [f"--{kind or 'file'}", str(path)])
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())


@pytest.mark.parametrize("words", [["drill", "list"], ["slo", "budget", "one", "two", "--file", "/nowhere"]])
def test_a_command_loads_no_pydantic_for_texts_and_paths(words: list[str]) -> None:
    code = (
        f"import sys\nfrom maestro_cli.cli.main import run\nrun({words})\n"
        "sys.exit('pydantic' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
