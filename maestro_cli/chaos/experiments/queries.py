"""The queries that an experiment asks Prometheus by maestro, with their lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.chaos.experiments.declared import NAME
from maestro_cli.chaos.measuring import PODS, WINDOW
from maestro_cli.chaos.reach import PROBES
from maestro_cli.config.strict import Document, Path_
from maestro_cli.slo.files.found import Query

_SOME_POD, _SPAN = "pod", "5m"  # in the place of what a run fills in


def queries_of(document: Document) -> Iterator[Query]:
    """Of probes, stop conditions and arms; not those that Chaos Toolkit fills in (`${name}`) when it runs."""
    for place, text in _asked(document):
        if isinstance(text, str) and "${" not in text:
            filled = text.replace(PODS, _SOME_POD).replace(WINDOW, _SPAN)
            key = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place).lstrip(".")
            yield Query(document.file, document.line_of(place), key, filled)


def _asked(document: Document) -> Iterator[tuple[Path_, object]]:
    data = document.data
    hypothesis = data.get("steady-state-hypothesis") or {}
    for at, part in (
        (("steady-state-hypothesis", "probes"), hypothesis.get("probes")),
        (("method",), data.get("method")),
        (("rollbacks",), data.get("rollbacks")),
    ):
        for index, one in enumerate(part or ()):
            provider = one.get("provider") or {}
            if (provider.get("module"), provider.get("func")) == (PROBES, "value"):
                place: Path_ = (*at, index, "provider", "arguments", "query")
                yield place, (provider.get("arguments") or {}).get("query")
    for index, one in enumerate(data.get("extensions") or ()):
        if one.get("name") == NAME:
            for number, stop in enumerate(one.get("stop") or ()):
                yield ("extensions", index, "stop", number, "query"), stop.get("query")
            for name, query in (one.get("arms") or {}).items():
                if name in ("bad", "all"):
                    yield ("extensions", index, "arms", name), query
