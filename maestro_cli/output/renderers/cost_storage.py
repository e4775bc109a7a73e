"""Stored versions of models, and the policy that moves them, as views."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from maestro_cli.core.money import money
from maestro_cli.core.quantities import counted
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.storage.tiering import Place
from maestro_cli.output.money import amount_cell
from maestro_cli.output.views import Column, Fields, Lines, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.cost.storage.lifecycle import Policy
    from maestro_cli.cost.storage.report import Stored
    from maestro_cli.cost.storage.tiering import Tiering

TONES = {Place.MOVE: "good", Place.UNKNOWN: "warn", Place.KEEP: "", Place.STAY: "dim"}


def stored_view(found: Stored) -> Report:
    """JSON has `items`, a version each, with where it belongs and why; amounts are of the whole outlook."""
    wanted = found.wanted
    rows: list[tuple[str, object]] = [
        ("store", str(wanted.store)),
        ("from, to", f"{wanted.hot} → {wanted.cold}"),
        ("outlook", f"{wanted.months:g} months, {wanted.reads_per_month:g} reads of a version a month"),
        ("saving", _saving(found)),
    ]
    if found.others:
        rows.append(("of no version", f"{counted(found.others, 'object')}, {_size(found.others_bytes)}"))
    if found.unknown:
        rows.append(("not known", f"who needs which version: {found.unknown}; every version stays"))
    document = {
        "at": found.at,
        "currency": found.currency,
        "from": wanted.hot,
        "to": wanted.cold,
        "months": wanted.months,
        "reads_per_month": wanted.reads_per_month,
        "saving": found.saving,
        "versions_without_a_price": found.unpriced,
        "references_unknown": found.unknown or None,
        "of_no_version": {"objects": found.others, "bytes": found.others_bytes},
        "items": [_item(item) for item in found.items],
    }
    columns: tuple[Column[Tiering], ...] = (
        Column("version", lambda item: item.version.name),
        Column("size", lambda item: _size(item.version.size_bytes), right=True, priority=1),
        Column("answer", lambda item: item.place.value, tone=lambda item: TONES[item.place], priority=1),
        Column("a month", lambda item: amount_cell(item.monthly), right=True),
        Column("saving", lambda item: amount_cell(item.saving), right=True, priority=1),
        Column("objects", lambda item: item.version.objects, right=True, priority=3),
        Column("written", lambda item: item.version.written_at, priority=3),
        Column("why", lambda item: item.why, priority=1, folds=True),
    )
    listing = Listing("storage-items/v1", columns, found.items, document=_item)
    return Report("storage/v1", document, (Fields(rows), listing))


def _saving(found: Stored) -> str:
    lack = f"{found.unpriced} of {counted(len(found.items), 'version')} without a price"
    if found.saving is None:
        return f"not known: {lack}"
    saved = money(found.saving, found.currency)
    return f"{saved}, as far as known: {lack}" if found.unpriced else saved


def policy_view(policy: Policy, found: Stored) -> Report:
    """For people the policy alone, as the store takes it; JSON has it under `policy`."""
    document = {
        "policy": policy.document,
        "left_out": policy.left_out,
        "references_unknown": found.unknown or None,
    }
    text = json.dumps(policy.document, indent=2)  # ASCII: nothing in a key can reach the terminal
    return Report("storage-policy/v1", document, (Lines(text),))


def _item(item: Tiering) -> dict[str, Any]:
    one = item.version
    return {
        "model": one.model,
        "version": one.version,
        "prefix": one.prefix,
        "objects": one.objects,
        "bytes": one.size_bytes,
        "written_at": one.written_at,
        "storage_classes": one.storage_classes,
        "answer": item.place.value,
        "why": item.why,
        "monthly": item.monthly,
        "move_once": item.once,
        "read_back": item.back,
        "saving": item.saving,
    }


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size_bytes / GIB:,.1f} GiB"
