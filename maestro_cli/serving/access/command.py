"""`maestro serve keys`: make, list, renew and take away keys in a keys file.

Invariant: a key is printed once, when it is made, and kept nowhere; the file is written whole.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from maestro_cli.core.clock import Clock, SystemClock, from_rfc3339, to_rfc3339
from maestro_cli.core.errors import ExitCode, InvalidFile
from maestro_cli.core.files import open_file, write_atomically
from maestro_cli.core.untrusted import visible
from maestro_cli.serving.access.keys import (
    SECRETS_PER_ID,
    KeyEntry,
    Keys,
    digest_of,
    key_text,
    new_secret,
    read_keys,
    write_keys,
)
from maestro_cli.serving.access.options import Help
from maestro_cli.serving.access.roles import Role

_MAX_DAYS = 3650


class KeyRefused(Exception):
    """What was asked does not fit the file; the text says why and what to do."""


def run(arguments: Sequence[str], clock: Clock | None = None) -> ExitCode:
    """Do what the command line says; 2 when it is wrong, 3 for a broken file, 12 when it cannot be done."""
    found = _parser().parse_args(arguments)
    now = (clock or SystemClock()).now()
    try:
        keys = _read(found.file, may_be_missing=found.action == "add")
        sys.stdout.write(_ACTIONS[found.action](found, keys, now))
    except InvalidFile as error:
        sys.stderr.write(f"error: {error}{f': {error.why}' if error.why else ''}\n")
        return ExitCode.INVALID_FILE
    except KeyRefused as error:
        sys.stderr.write(f"error: {error}\n")
        return ExitCode.ACTION_FAILED
    except OSError as error:
        sys.stderr.write(f"error: {found.file} cannot be written: {error.strerror}\n")
        return ExitCode.ACTION_FAILED
    return ExitCode.OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maestro serve keys",
        description="Make, list, renew and take away keys of the model server.",
        formatter_class=Help,
        epilog="Example: maestro serve keys add keys.yaml --id checkout --role predictor --days 180",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make a key and print it, this once")
    rotate = actions.add_parser("rotate", help="give an id a new key; the old one ends after an overlap")
    revoke = actions.add_parser("revoke", help="take every key of an id away")
    for one in (add, actions.add_parser("list", help="show who may do what, and until when"), rotate, revoke):
        one.add_argument("file", type=Path, metavar="FILE", help="the keys file")
    for one in (add, rotate, revoke):
        one.add_argument("--id", required=True, help="lower-case letters, digits and '-'")
    add.add_argument(
        "--role", action="append", required=True, choices=[str(role) for role in Role], help="may be repeated"
    )
    add.add_argument("--model", action="append", help="only for this model; may be repeated")
    add.add_argument("--certificate", metavar="CN", help="a client certificate instead of a secret")
    for one in (add, rotate):
        one.add_argument("--days", type=_days, help="how long it holds (default: until it is revoked)")
    add.add_argument("--comment", default="", help="for people")
    rotate.add_argument(
        "--overlap-hours", type=_hours, default=24.0, metavar="HOURS",
        help="how long the old key still holds (default %(default)g)",
    )  # fmt: skip
    return parser


def _add(found: argparse.Namespace, keys: Keys, now: datetime) -> str:
    if any(entry.id == found.id for entry in keys.keys):
        raise KeyRefused(f"there is a key {visible(found.id, 40)} already: rotate it, or revoke it first")
    secret = new_secret()
    entry = KeyEntry(
        id=found.id,
        roles=tuple(Role(name) for name in dict.fromkeys(found.role)),
        sha256=digest_of(secret) if found.certificate is None else None,
        certificate=found.certificate,
        models=tuple(dict.fromkeys(found.model)) if found.model else None,
        expires=_after(now, found.days),
        comment=found.comment,
    )
    _write(found.file, (*keys.keys, entry))
    return key_text(found.id, secret) + "\n" if found.certificate is None else ""


def _rotate(found: argparse.Namespace, keys: Keys, now: datetime) -> str:
    mine = [entry for entry in keys.keys if entry.id == found.id and entry.sha256 is not None]
    holding = [entry for entry in mine if entry.expires is None or from_rfc3339(entry.expires) > now]
    if not mine:
        raise KeyRefused(f"there is no key {visible(found.id, 40)} with a secret in {found.file}")
    if len(holding) >= SECRETS_PER_ID:
        raise KeyRefused(f"{found.id} has an old key and a new one already: wait until the old one ends")
    if mine[-1].expires is not None and found.days is None:
        raise KeyRefused(
            f"the key {found.id} ends at {mine[-1].expires}: say with --days when the new one does"
        )
    secret, end = new_secret(), now + timedelta(hours=found.overlap_hours)
    new = msgspec.structs.replace(
        mine[-1], sha256=digest_of(secret), not_before=None, expires=_after(now, found.days)
    )
    old = [_ended(entry, end) for entry in holding] if found.overlap_hours else []
    _write(found.file, (*(entry for entry in keys.keys if entry not in mine), *old, new))
    return key_text(found.id, secret) + "\n"


def _ended(entry: KeyEntry, end: datetime) -> KeyEntry:
    """The entry, ending then at the latest."""
    if entry.expires is not None and from_rfc3339(entry.expires) <= end:
        return entry
    return msgspec.structs.replace(entry, expires=_text(end))


def _revoke(found: argparse.Namespace, keys: Keys, now: datetime) -> str:
    kept = tuple(entry for entry in keys.keys if entry.id != found.id)
    if len(kept) == len(keys.keys):
        raise KeyRefused(f"there is no key {visible(found.id, 40)} in {found.file}")
    _write(found.file, kept)
    return ""


def _list(found: argparse.Namespace, keys: Keys, now: datetime) -> str:
    rows = [("ID", "ROLES", "MODELS", "HOLDS", "EXPIRES", "BY", "COMMENT")]
    rows += [
        (
            entry.id,
            ",".join(entry.roles),
            ",".join(entry.models or ("all",)),
            "yes" if entry.holds_at(now) else "no",
            entry.expires or "never",
            "secret" if entry.certificate is None else f"certificate {visible(entry.certificate, 64)}",
            visible(entry.comment, 60),
        )
        for entry in keys.keys
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


_ACTIONS = {"add": _add, "list": _list, "rotate": _rotate, "revoke": _revoke}


def _read(file: Path, *, may_be_missing: bool) -> Keys:
    try:
        with open_file(file) as stream:
            return read_keys(stream.read().decode("utf-8"), str(file))
    except FileNotFoundError as error:
        if may_be_missing:
            return Keys("maestro.keys/1")
        raise InvalidFile("is not there", file=str(file)) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InvalidFile("cannot be read", file=str(file), why=why) from error
    except UnicodeDecodeError as error:
        raise InvalidFile("is not UTF-8", file=str(file)) from error


def _write(file: Path, entries: tuple[KeyEntry, ...]) -> None:
    """Only what can be read again is written; raises InvalidFile before that."""
    text = write_keys(Keys("maestro.keys/1", entries))
    read_keys(text, str(file))
    write_atomically(file, text, mode=0o600, keeps_mode=True, durable=True)


def _after(now: datetime, days: int | None) -> str | None:
    return _text(now + timedelta(days=days)) if days else None


def _text(instant: datetime) -> str:
    return to_rfc3339(instant.replace(microsecond=0)).replace(".000000", "")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= _MAX_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days (1 to {_MAX_DAYS})")
    return int(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 <= hours <= 24 * _MAX_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours")
    return hours
