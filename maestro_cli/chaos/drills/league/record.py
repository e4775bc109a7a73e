"""A league as plain data, and back. Pure. Invariant: what was read is what was written, whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import msgspec

from maestro_cli.chaos.drills.league.model import RANKED_FIRST, Item, LeagueReport, Pair
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import from_rfc3339
from maestro_cli.core.errors import InvalidFile

SCHEMA = "drill-league/v1"
_ITEM = {field.name for field in fields(Item)} - {"pairs"}


def document_of(report: LeagueReport) -> dict[str, Any]:
    """What JSON shows and the file keeps; `calibration` has each suspect's score and whether it was right."""
    return {
        "passed": report.passed,
        "misses": list(report.misses),
        "began_at": report.began_at,
        "cluster": report.cluster,
        "played": len(report.items),
        "left": len(report.left),
        "ranked_first": report.ranked_first,
        "ranked_first_wanted": RANKED_FIRST,
        "items": [_item_document(item) for item in report.items],
        "calibration": [
            {"scenario": item.scenario, "seed": item.seed, **plain(pair)}
            for item in report.items
            for pair in item.pairs
        ],
        "wanted": [{"scenario": name, "seed": seed} for name, seed in report.wanted],
    }


def _item_document(item: Item) -> dict[str, Any]:
    document: dict[str, Any] = plain(item)
    del document["pairs"]
    return document


def read_document(content: bytes, file: str) -> LeagueReport:
    """The league in a file. Raises InvalidFile."""
    try:
        document = msgspec.json.decode(content)
        items = tuple(_item(words, document["calibration"]) for words in document["items"])
        wanted = tuple((str(one["scenario"]), int(one["seed"])) for one in document["wanted"])
        return LeagueReport(items, wanted, from_rfc3339(document["began_at"]), document["cluster"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise InvalidFile("is not a league that was kept", file=file, why=repr(error)) from error


def _item(words: Mapping[str, Any], calibration: list[dict[str, Any]]) -> Item:
    mine = (words["scenario"], words["seed"])
    pairs = tuple(
        Pair(one["score"], one["was_right"], one["kind"])
        for one in calibration
        if (one["scenario"], one["seed"]) == mine
    )
    known = {name: words[name] for name in _ITEM}
    return Item(**{**known, "misses": tuple(words["misses"]), "fouls": tuple(words["fouls"])}, pairs=pairs)
