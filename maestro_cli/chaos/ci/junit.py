"""Outcomes as JUnit XML, as `junit-10.xsd` of Jenkins' xUnit plugin has it.

Invariant: well-formed for any text: what XML 1.0 cannot hold is shown as a glyph. A suite an experiment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from maestro_cli.chaos.burned import burned_words, foretold_words
from maestro_cli.chaos.ci.cases import Case, State, cases_of, count
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.core.untrusted import visible, visible_block

NAME_LIMIT, MESSAGE_LIMIT, LINES_LIMIT = 200, 500, 100
_TAGS = {State.FAILED: "failure", State.ERROR: "error", State.SKIPPED: "skipped"}


def junit_xml(outcomes: Sequence[Outcome], *, properties: Mapping[str, str], hostname: str) -> str:
    """The document; `properties` hold for every suite (context, commit)."""
    root = ElementTree.Element("testsuites", name="maestro chaos gate")
    told = [(outcome, cases_of(outcome)) for outcome in outcomes]
    every = [case for _, cases in told for case in cases]
    root.set("tests", str(len(every)))
    root.set("failures", str(count(every, State.FAILED)))
    root.set("errors", str(count(every, State.ERROR)))
    root.set("time", _seconds(sum(outcome.seconds for outcome in outcomes)))
    for outcome, cases in told:
        root.append(_suite(outcome, cases, properties, hostname))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(
    outcome: Outcome, cases: Sequence[Case], properties: Mapping[str, str], hostname: str
) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=visible(outcome.title, NAME_LIMIT))
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(count(cases, State.FAILED)))
    suite.set("errors", str(count(cases, State.ERROR)))
    suite.set("skipped", str(count(cases, State.SKIPPED)))
    suite.set("time", _seconds(outcome.seconds))
    started = str((outcome.journal or {}).get("start") or "")
    if started:
        suite.set("timestamp", visible(started, 40))
    suite.set("hostname", visible(hostname, NAME_LIMIT))
    part = ElementTree.SubElement(suite, "properties")
    for name, value in {**properties, **_properties(outcome)}.items():
        if not value:
            continue
        ElementTree.SubElement(part, "property", name=name, value=visible(value, MESSAGE_LIMIT))
    for case in cases:
        suite.append(_case(outcome, case))
    return suite


def _properties(outcome: Outcome) -> dict[str, str]:
    ours = outcome.ours
    burns = ours.get("predicted_burn") or ()
    return {
        "verdict": outcome.verdict.value,
        "exit_code": str(int(outcome.exit_code)),
        "experiment": outcome.name,
        "run": outcome.run,
        "seed": "" if ours.get("seed") is None else str(ours["seed"]),
        "targets": ", ".join(map(str, ours.get("targets") or ())),
        "namespace": ", ".join(_namespaces(ours.get("targets") or ())),
        **{f"{_budget(one)}.left_before": str(one["words"]) for one in burns},
        **dict(_burned(ours.get("actual_burn") or ())),
    }


def _budget(one: Mapping[str, Any]) -> str:
    return f"budget.{visible(str(one['objective']), 80)}"


def _burned(found: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What each budget lost while the run went on, beside what was foretold; what is not known says so."""
    for one in found:
        yield f"{_budget(one)}.predicted_burn", foretold_words(one)
        yield f"{_budget(one)}.actual_burn", burned_words(one)
        yield f"{_budget(one)}.left_after", str(one["words"])


def _namespaces(targets: Sequence[object]) -> list[str]:
    """Of targets as they are written, `namespace/kind/name`; what is of no namespace has two parts."""
    return sorted({str(one).split("/")[0] for one in targets if str(one).count("/") == 2})


def _case(outcome: Outcome, case: Case) -> ElementTree.Element:
    named = {
        "name": visible(case.name, NAME_LIMIT),
        "classname": f"chaos.{visible(outcome.name, NAME_LIMIT)}",
    }
    element = ElementTree.Element("testcase", named)
    if case.seconds is not None:
        element.set("time", _seconds(case.seconds))
    if case.state in _TAGS:
        unsaid = "not reached" if case.state is State.SKIPPED else "it failed, and does not say why"
        first = case.why.split("\n", 1)[0] or unsaid
        told = ElementTree.SubElement(element, _TAGS[case.state], message=visible(first, MESSAGE_LIMIT))
        if case.state is not State.SKIPPED:
            told.set("type", (case.exit_code or outcome.exit_code).name.lower())
            told.text = visible_block(case.why, LINES_LIMIT)
    return element


def _seconds(seconds: float) -> str:
    """With three places and never an exponent, which the schema does not know."""
    return f"{seconds:.3f}"
