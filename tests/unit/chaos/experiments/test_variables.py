"""Variables are read as Chaos Toolkit reads them; what is wrong is told, not passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chaoslib import convert_vars

from maestro_cli.chaos.experiments.variables import read_variables
from maestro_cli.core.errors import InvalidFile, MaestroError, UsageError


@pytest.mark.parametrize(
    "text",
    ["a=b", "a:int=5", "a:float=1.5", "a:bool=no", "a:bool=yes", "a=b=c", "a:json=[1]", "a:str=5", "a="],
)
def test_a_variable_has_the_value_that_chaos_toolkit_gives_it(text: str) -> None:
    configuration, _, _ = read_variables([text], [])
    assert configuration == convert_vars([text])


@pytest.mark.parametrize("text", ["a", "=b", "a:int=x", "a:date=1", "a:json=["])
def test_what_is_no_variable_is_told(text: str) -> None:
    with pytest.raises(UsageError):
        read_variables([text], [])


def test_files_give_configuration_secrets_and_an_environment(tmp_path: Path) -> None:
    one, two, three = tmp_path / "one.json", tmp_path / "two.yaml", tmp_path / "three.env"
    one.write_text(json.dumps({"configuration": {"a": 1, "b": 1}, "secrets": {"k": {"t": "s3cret"}}}))
    two.write_text("configuration: {b: 2}\n")
    three.write_text("# a comment\nX=1\nY=a=b\n")
    configuration, hidden, environment = read_variables(["a:int=3"], [one, two, three])
    assert (configuration, hidden, environment) == (
        {"a": 3, "b": 2}, {"k": {"t": "s3cret"}}, {"X": "1", "Y": "a=b"},
    )  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [("x.env", "no line"), ("x.yaml", "- a"), ("x.json", "{")])
def test_a_file_that_is_wrong_is_told_with_its_line(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidFile) as refused:
        read_variables([], [path])
    assert refused.value.line == 1


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaestroError):
        read_variables([], [tmp_path / "no.yaml"])
