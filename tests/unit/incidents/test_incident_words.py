"""Events are told in words by tables that do not contradict each other."""

from __future__ import annotations

from collections import Counter

from maestro_cli.incidents.timeline import TABLES, describe


def test_a_kind_is_told_by_one_table_alone() -> None:
    known = Counter(kind for table in TABLES for kind in table)
    assert [kind for kind, tables in known.items() if tables > 1] == []


def test_an_event_that_looks_otherwise_is_told_plainly() -> None:
    assert describe("incident.owner_set", {"reason": "why not"}) == "incident owner set, why not"
    assert describe("sunrise.seen", {"title": "at six"}) == "sunrise seen, at six"


def test_one_signal_is_not_told_as_several() -> None:
    said = {"fingerprints": ["a"], "source": "alertmanager"}
    assert describe("incident.signals_confirmed", said) == "1 signal held by alertmanager as well"
    several = said | {"fingerprints": ["a", "b"]}
    assert describe("incident.signals_confirmed", several) == "2 signals held by alertmanager as well"
