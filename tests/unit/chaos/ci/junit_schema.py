"""What `junit-10.xsd` of Jenkins' xUnit plugin allows, restated as a table, and a judge that goes by it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

_TIME = r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?"
_ANY = r"(?s).*"


@dataclass(frozen=True)
class Rule:
    """`attributes` by name with the pattern of their values; `needed` must be there."""

    children: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    needed: tuple[str, ...] = ()
    holds_text: bool = False


def _texts(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, _ANY) for name in names)


_TOLD = Rule(attributes=_texts("type", "message"), holds_text=True)
RULES = {
    "testsuites": Rule(("testsuite",), (*_texts("name", "tests", "failures", "errors"), ("time", _TIME))),
    "testsuite": Rule(
        ("testsuite", "properties", "testcase", "system-out", "system-err"),
        (
            *_texts(
                "name", "tests", "failures", "errors", "group", "skipped", "timestamp", "hostname", "id",
                "package", "file", "log", "url",
            ),
            ("time", _TIME),
        ),
        ("name", "tests", "failures", "errors"),
    ),
    "properties": Rule(("property",)),
    "property": Rule((), _texts("name", "value"), ("name", "value")),
    "testcase": Rule(
        (
            "skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError",
            "system-out", "system-err",
        ),
        _texts("name", "time", "classname", "group"),
        ("name",),
    ),
    "failure": _TOLD,
    "error": _TOLD,
    "skipped": _TOLD,
    "system-out": Rule(holds_text=True),
    "system-err": Rule(holds_text=True),
}  # fmt: skip


def faults_of(text: str) -> list[str]:
    """What is wrong with a document; raises ParseError for what is no XML."""
    root = ElementTree.fromstring(text.encode())
    found = [] if root.tag == "testsuites" else [f"the root is {root.tag}"]
    return found + [fault for element in root.iter() for fault in _faults(element)]


def _faults(element: ElementTree.Element) -> list[str]:
    rule = RULES.get(element.tag)
    if rule is None:
        return [f"there is no element {element.tag}"]
    allowed = dict(rule.attributes)
    found = [f"{element.tag} has no {name}" for name in rule.needed if name not in element.attrib]
    for name, value in element.attrib.items():
        if name not in allowed or re.fullmatch(allowed[name], value) is None:
            found.append(f"{element.tag}: {name}={value!r}")
    found += [f"{element.tag} holds {child.tag}" for child in element if child.tag not in rule.children]
    texts = [element.text, *(child.tail for child in element)]
    if not rule.holds_text and any(text and text.strip() for text in texts):
        found.append(f"{element.tag} holds text")
    return found
