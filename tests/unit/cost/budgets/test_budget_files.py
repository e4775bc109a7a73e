"""Budgets as people write them: strict, with the place of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.cost.allocation.sharing import IdleSharing
from maestro_cli.cost.budgets.file import read_budgets
from maestro_cli.cost.budgets.model import Budget

HEAD = "maestro: budgets/v1\n"


def read(folder: Path, text: str, currency: str = "EUR") -> tuple[Budget, ...]:
    file = folder / "budgets.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    return read_budgets([file], currency)


def test_a_budget_is_an_amount_and_a_scope(tmp_path: Path) -> None:
    text = """currency: EUR
budgets:
  ml: {amount: 500, scope: {namespace: ml, labels: {example.com/part-of: risk}}, warn: [90, 40], owner: risk}
  all: {amount: 2000.5, forecast: fail, idle: cluster}
"""
    whole, ml = read(tmp_path, text)
    assert (whole.name, whole.amount, str(whole.where), whole.fails_on_forecast) == ("all", 2000.5, "", True)
    assert whole.idle is IdleSharing.CLUSTER
    assert whole.warn == (0.5, 0.8, 1.0)
    assert (ml.warn, ml.owner) == ((0.4, 0.9), "risk")
    assert {one.label for one in ml.where.matchers} == {"namespace", "label_example.com/part-of"}
    assert ml.origin.endswith("budgets.yaml:4")


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("budgets: {}\n", "budgets", 2),
        ("budgets:\n  ml: {amount: 0}\n", "budgets.ml.amount", 3),
        ("budgets:\n  ml: {amount: -5}\n", "budgets.ml.amount", 3),
        ("budgets:\n  ml: {}\n", "budgets.ml", 3),
        ("budgets:\n  ml: {amount: 5, amuont: 6}\n", "budgets.ml.amuont", 3),
        ("budgets:\n  ml: {amount: 5, warn: [0]}\n", "budgets.ml.warn[0]", 3),
        ("budgets:\n  ml: {amount: 5, scope: {namespace: ''}}\n", "budgets.ml.scope.namespace", 3),
        ("budgets:\n  ml: {amount: 5, scope: {nmespace: ml}}\n", "budgets.ml.scope.nmespace", 3),
        (
            "budgets:\n  ml:\n    amount: 5\n    scope:\n      labels: {a: ''}\n",
            "budgets.ml.scope.labels.a",
            6,
        ),
        ("budgets:\n  ml: {amount: 5, currency: USD}\n", "budgets.ml.currency", 3),
        ("currency: USD\nbudgets:\n  ml: {amount: 5}\n", "currency", 2),
        ("budgets:\n  ml: {amount: 5, forecast: perhaps}\n", "budgets.ml.forecast", 3),
        ("budgets:\n  ml: {amount: 5, idle: all}\n", "budgets.ml.idle", 3),
        ('budgets:\n  "\\u202eml": {amount: 5}\n', "budgets.<U+202E>ml", 3),
        ("budgets:\n  ml: {amount: .inf}\n", "budgets.ml.amount", 3),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, key: str, line: int) -> None:
    with pytest.raises(InvalidFile) as refused:
        read(tmp_path, text)
    assert (refused.value.key, refused.value.line) == (key, line)


def test_one_name_in_two_files_is_refused(tmp_path: Path) -> None:
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for file in files:
        file.write_text(f"{HEAD}budgets: {{ml: {{amount: 5}}}}\n", encoding="utf-8")
    with pytest.raises(InvalidFile) as refused:
        read_budgets(files, "EUR")
    assert refused.value.file == str(files[1])
    assert "a.yaml:2 has it too" in str(refused.value.why)
