"""JUnit XML is valid against the published schema, whatever an experiment is called."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.chaos.burned import Burned
from maestro_cli.chaos.ci.cases import State, cases_of, count
from maestro_cli.chaos.ci.junit import junit_xml
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.chaos.model import Injected, Injection
from tests.unit.chaos.ci.junit_schema import faults_of
from tests.unit.chaos.ci.outcomes import BURNED, outcome
from tests.unit.chaos.test_verdict import CASES, Case

HOSTILE = "\x00\x1b[31m]]> <!-- & \" ' \ufffe \ud800 \u202e <b>x</b>\n</testsuite>"


def document(*outcomes: Outcome) -> str:
    return junit_xml(outcomes, properties={"context": "lab"}, hostname="host")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{int(case.code)}")
def test_each_way_to_end_is_valid_and_counts_what_it_says(case: Case) -> None:
    made = outcome(case.journal, case.findings)
    text = document(made)
    assert faults_of(text) == []
    (suite,) = ElementTree.fromstring(text.encode())
    cases = cases_of(made)
    assert len({one.name for one in cases}) == len(cases) == int(suite.attrib["tests"])
    for attribute, tag, state in (
        ("failures", "failure", State.FAILED),
        ("errors", "error", State.ERROR),
        ("skipped", "skipped", State.SKIPPED),
    ):
        assert int(suite.attrib[attribute]) == len(suite.findall(f"testcase/{tag}")) == count(cases, state)


@given(st.text())
def test_any_text_is_held(text: str) -> None:
    made = outcome(findings={"injections": (Injection(text, Injected.FAILED, text),)}, title=text or "x")
    assert faults_of(document(made)) == []


def test_hostile_text_ends_no_element_and_is_still_there() -> None:
    made = outcome(findings={"residue": (HOSTILE,)}, title=HOSTILE)
    (suite,) = ElementTree.fromstring(document(made).encode())
    assert suite.attrib["name"].startswith("␀␛[31m]]> <!-- &")
    (failure,) = suite.findall("testcase/failure")
    assert "</testsuite>" in str(failure.text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('time="12.500"', 'time="1.25e1"'),
        (' errors="0"', ""),
        ("<testcase ", "<testcase file='x' "),
        ("</testcase>", "<trace/></testcase>"),
        ("<properties>", "<properties>text"),
    ],
)
def test_the_judge_of_documents_finds_what_is_wrong(old: str, new: str) -> None:
    text = document(outcome({"after": "missed"}))
    assert old in text
    assert faults_of(text.replace(old, new)) != []


def test_a_case_has_the_type_of_what_is_bad_in_it_and_none_that_failed_was_not_reached() -> None:
    ineffective = Injection("slow", Injected.INEFFECTIVE, "met nobody")
    made = outcome(findings={"injections": (ineffective,), "undo_failures": ("slow: no",)})
    (suite,) = ElementTree.fromstring(document(made).encode())
    told = {case.attrib["name"]: part.attrib for case in suite.findall("testcase") for part in case}
    types = {name: part["type"] for name, part in told.items() if "type" in part}
    assert types == {"inject.slow": "action_failed", "rollback.undo": "undo_failed", "residue": "undo_failed"}
    assert not [name for name, part in told.items() if "type" in part and part["message"] == "not reached"]


def test_a_suite_names_the_namespaces_of_its_targets() -> None:
    (suite,) = ElementTree.fromstring(document(outcome()).encode())
    found = {one.attrib["name"]: one.attrib["value"] for one in suite.findall("properties/property")}
    assert found["namespace"] == "ml"


def burned(found: Burned) -> dict[str, str]:
    (suite,) = ElementTree.fromstring(document(outcome(burned=(found,))).encode())
    told = {one.attrib["name"]: one.attrib["value"] for one in suite.findall("properties/property")}
    return {name: value for name, value in told.items() if name.startswith("budget.")}


def test_a_suite_tells_what_each_budget_lost_beside_what_was_foretold() -> None:
    assert burned(BURNED) == {
        "budget.fraud-availability.left_before": "90%",
        "budget.fraud-availability.predicted_burn": "1.2%",
        "budget.fraud-availability.actual_burn": "0.3% of its budget, 0.3% of what was left",
        "budget.fraud-availability.left_after": "89.7%",
    }


def test_what_was_not_measured_is_told_as_such_and_never_as_none() -> None:
    told = burned(Burned("fraud-availability", None, 0.0116, "no data"))
    assert told["budget.fraud-availability.actual_burn"] == "not known: no data"
    assert told["budget.fraud-availability.left_after"] == "not known"
