"""Every look during the method is judged and kept, however many there were."""

from __future__ import annotations

import json
from typing import Any

from maestro_cli.chaos.findings import sane_journal
from maestro_cli.chaos.heard import MAX_WHOLE, Heard
from maestro_cli.chaos.line import MAX_ITEMS, sane
from maestro_cli.chaos.verdict import Steady, judge, steady_of
from maestro_cli.core.errors import ExitCode
from tests.unit.chaos.journals import journal, state
from tests.unit.chaos.test_verdict import WELL, asked_over_http


def heard(*states: dict[str, Any]) -> Heard:
    made = Heard({"title": "t"})
    for one in states:
        made.hear({"event": "steady", "phase": "during", "state": one})
    return made


def test_a_miss_behind_more_looks_than_a_message_holds_is_a_miss_and_is_kept() -> None:
    looks = ["met"] * MAX_ITEMS + ["missed"] * 400
    given = sane(journal(during=looks))
    assert judge(given, WELL).passed, "the message alone does not hold it"
    whole = heard(*map(state, looks)).whole(given)
    assert judge(whole, WELL).exit_code is ExitCode.CONDITION_NOT_MET
    kept = sane_journal(whole)
    assert [steady_of(one).value for one in kept["steady_states"]["during"]] == looks


def test_what_is_kept_of_so_many_looks_says_the_same_and_is_short() -> None:
    long = {**state("missed"), "probes": [{**state("missed")["probes"][0], "output": "x" * 20_000}]}
    raised = asked_over_http(200, "activity took too long to complete")
    many = [state("met")] * MAX_WHOLE + [long, raised, state("met"), state("none")]
    during = heard(*many).whole(None)["steady_states"]["during"]
    assert [steady_of(one) for one in during] == [steady_of(one) for one in many]
    assert [steady_of(one) for one in during[-4:]] == [
        Steady.MISSED, Steady.MISSED, Steady.MET, Steady.NO_DATA,
    ]  # fmt: skip
    assert max(len(json.dumps(one)) for one in during[MAX_WHOLE:]) < 1_000
