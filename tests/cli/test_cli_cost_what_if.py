"""`maestro cost what-if` as a person or a script calls it, from a record of what was metered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from maestro_cli.cost.prices.model import ALWAYS, Capacity, NodePrice, PriceBook, PriceVersion, UnitRates
from maestro_cli.cost.record import pack_record
from tests.cli.program import Result, check_golden, maestro
from tests.cli.test_cli_cost_budget import plain
from tests.unit.cost.budgets.metered_month import metered_days

BOOK = PriceBook.of(
    "EUR",
    [
        PriceVersion(
            ALWAYS,
            UnitRates(0.04, 0.005),
            nodes=(NodePrice("m", 0.5), NodePrice("m", 0.2, Capacity.SPOT), NodePrice("n", 0.3)),
        )
    ],
    "prices.yaml",
)
CHANGES = ("--replicas", "ml/deploy/fraud=2", "--spot", "web/deploy/front=50%", "--node-type", "m=n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    packed, _ = pack_record(metered_days(7), BOOK, "zip")
    (tmp_path / "record.zip").write_bytes(packed)
    return tmp_path


def what_if(folder: Path, *arguments: str) -> Result:
    return maestro("cost", "what-if", "--from", "record.zip", *arguments, cwd=folder)


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "csv", "md", "jsonpath={.then.expected}"])
def test_what_would_be_is_the_same_in_every_format(folder: Path, form: str) -> None:
    found = what_if(folder, "--replicas", "ml/deploy/fraud=2", "--spot", "all=50%", "-o", form)
    assert (found.code, found.err) == (0, "")
    check_golden(f"cost-what-if.{form.partition('=')[0]}", plain(found))


def test_the_bill_now_is_that_of_a_month(folder: Path) -> None:
    found = json.loads(what_if(folder, "--cache-hits", "ml/deploy/fraud=0:50%", "-o", "json").out)
    assert found["now"] == pytest.approx(730 * 2 * 0.5)
    assert found["then"]["expected"] == pytest.approx(found["now"])  # the one replica stays


def test_the_bill_now_is_the_month_that_cost_show_tells(tmp_path: Path) -> None:
    """Though the use of pods was measured for a part of the time alone, nodes were paid all of it."""
    metered = metered_days(7)
    packed, _ = pack_record(replace(metered, coverage=metered.coverage * 0.9), BOOK, "zip")
    (tmp_path / "record.zip").write_bytes(packed)
    found = json.loads(what_if(tmp_path, "--node-type", "m=n", "-o", "json").out)
    shown = maestro("cost", "show", "--from", "record.zip", "-o", "json", cwd=tmp_path)
    assert found["now"] == pytest.approx(json.loads(shown.out)["per_month"])
    assert found["now"] == pytest.approx(730 * 2 * 0.5)


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (["--node-type", "x=m"], "maestro cost show --by instance_type names what was metered"),
        (["--replicas", "ml/deploy/none=2"], "maestro cost show --by workload names what was metered"),
        (["--spot", "ml/deploy/none=1"], "maestro cost show --by workload,capacity names what was metered"),
    ],
)
def test_what_was_not_metered_is_told_with_the_command_that_names_what_was(
    folder: Path, arguments: list[str], fix: str
) -> None:
    assert what_if(folder, *arguments).err.splitlines()[-1].endswith(fix)
    by = fix.split()[4]
    assert maestro("cost", "show", "--from", "record.zip", "--by", by, cwd=folder).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        ([], 2, "nothing would be otherwise"),
        (["--replicas", "fraud"], 2, "'fraud' is not NAME=VALUE"),
        (["--replicas", "ml/deploy/fraud=1.5"], 2, "ml/deploy/fraud=1.5 is no number of replicas"),
        (["--replicas", "ml/deploy/fraud=-1"], 2, "ml/deploy/fraud=-1 is no number of replicas"),
        (["--replicas", "ml/deploy/fraud=nan"], 2, "ml/deploy/fraud=nan is no number of replicas"),
        (["--spot", "all=150%"], 2, "all=150%: '150%' is no share"),
        (["--spot", "all=nan"], 2, "all=nan: 'nan' is no share"),
        (
            ["--cache-hits", "ml/deploy/fraud=50%"],
            2,
            "a record does not tell what caches answered",
        ),
        (["--cache-hits", "ml/deploy/fraud=100%:50%"], 2, "ml/deploy/fraud=100%:50% computes nothing now"),
        (
            ["--replicas", "ml/ds/agent=1"],
            2,
            "ml/ds/agent has a pod on each node, and no number of replicas",
        ),
        (
            ["--replicas", "ml/deploy/fraud=1", "--replicas", "ml/deploy/fraud=9"],
            2,
            "ml/deploy/fraud would be otherwise in two ways at once",
        ),
        (["--spot", "all=1", "--spot", "all=0"], 2, "all would be otherwise in two ways at once"),
        (["--node-type", "m=n", "--node-type", "m=m"], 2, "m would be otherwise in two ways at once"),
        (["--node-type", "x=m"], 15, "no node of type x was metered"),
        (["--replicas", "ml/deploy/none=2"], 15, "nothing was metered of ml/deploy/none"),
        (["--node-type", "m=x"], 15, "no on-demand price for nodes of type x"),
        (["--node-type", "m=\x1b[31mx"], 15, "no on-demand price for nodes of type ␛[31mx"),
    ],
)
def test_what_says_nothing_is_refused(folder: Path, arguments: list[str], code: int, what: str) -> None:
    found = what_if(folder, *arguments)
    assert (found.code, found.err.splitlines()[0]) == (code, f"maestro: error: {what}")


def test_spot_and_another_type_at_once_want_a_price_of_both(folder: Path) -> None:
    found = what_if(folder, *CHANGES)
    assert (found.code, "no spot price for nodes of type n" in found.err) == (15, True)


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [(("--node-type", "m=x"), "the file of prices"), (("--node-type", "x=m"), "--by instance_type names")],
)
def test_what_lacks_a_price_is_mended_in_the_prices(
    folder: Path, arguments: tuple[str, str], fix: str
) -> None:
    assert fix in what_if(folder, *arguments).err
