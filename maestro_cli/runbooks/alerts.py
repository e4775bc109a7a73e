"""The alerts there are, as rule files and objectives define them.

Invariant: an alert that is told here has a name, and the file and line it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_cli.config.strict import Document, parse_yaml_all
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.catalog import RUNBOOK_URL
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.rules.alerts import alert_name

_SUFFIXES = (".yaml", ".yml")
_OBJECTIVES = re.compile(
    r"""^(apiVersion|version):\s*["']?(openslo|prometheus|sloth\.slok\.dev|pyrra\.dev)/""", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert that can fire, with the labels and annotations that its definition gives it."""

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    file: str
    line: int


def read_alerts(places: Iterable[Path]) -> tuple[AlertRule, ...]:
    """Every alert of the files and folders: Prometheus rule files, PrometheusRule objects, objectives.

    Raises InvalidFile for a place that is not there, and for a rule file that cannot be read.
    """
    found: list[AlertRule] = []
    for place in places:
        if not place.exists():
            raise InvalidFile("is not there", file=str(place), fix="name a rule file, or a folder of them")
        for file in _files(place):
            found += _of_file(file)
    return tuple(found)


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(path for path in place.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def _of_file(file: Path) -> Iterator[AlertRule]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile("cannot be read", file=str(file), why=str(error)) from error
    if _OBJECTIVES.search(text):
        for objective in filter(lambda one: one.is_watched, read_objectives(file)):
            url = {RUNBOOK_URL: objective.runbook} if objective.runbook else {}
            labels = {**objective.labels, "objective": objective.name, "service": objective.service}
            yield AlertRule(alert_name(objective), labels, url, str(file), 1)
    elif "alert:" in text and "groups:" in text:
        for document in parse_yaml_all(text, str(file)):
            yield from _of_rules(document)


def _of_rules(document: Document) -> Iterator[AlertRule]:
    data, base = document.data, ()  # type: Any, tuple[str | int, ...]
    if isinstance(data, dict) and data.get("kind") == "PrometheusRule":
        data, base = data.get("spec"), ("spec",)
    groups = data.get("groups") if isinstance(data, dict) else None
    for number, group in enumerate(groups if isinstance(groups, list) else ()):
        rules = group.get("rules") if isinstance(group, dict) else None
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, dict) and isinstance(rule.get("alert"), str):
                line = document.line_of((*base, "groups", number, "rules", index))
                yield AlertRule(
                    rule["alert"], _texts(rule, "labels"), _texts(rule, "annotations"), document.file, line
                )


def _texts(rule: Mapping[str, Any], key: str) -> dict[str, str]:
    value = rule.get(key)
    return {str(name): str(text) for name, text in value.items()} if isinstance(value, dict) else {}
