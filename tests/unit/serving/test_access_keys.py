"""Keys are read whole or refused with line and key, and hold when they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.serving.access.keys import (
    KEY_TEXT,
    KeyEntry,
    Keys,
    digest_of,
    key_text,
    new_secret,
    read_keys,
    write_keys,
)  # fmt: skip
from maestro_cli.serving.access.roles import Role

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)
DIGEST = "ab" * 32


def document(*entries: str) -> str:
    return "schema: maestro.keys/1\nkeys:\n" + "".join(f"  - {entry}\n" for entry in entries)


def test_what_was_written_is_read_again() -> None:
    keys = Keys(
        "maestro.keys/1",
        (
            KeyEntry("loader", (Role.PREDICTOR,), sha256=DIGEST, models=("fraud",), comment="yes: no"),
            KeyEntry(
                "ops", (Role.OPERATOR, Role.CHAOS), certificate="ops.example",
                not_before="2027-01-01T00:00:00Z", expires="2028-01-01T00:00:00Z",
            ),
        ),
    )  # fmt: skip
    assert read_keys(write_keys(keys), "keys.yaml") == keys


@pytest.mark.parametrize(
    ("entry", "line", "key"),
    [
        ("{id: A, roles: [viewer], sha256: %s}", 3, "keys[0].id"),
        ("{id: a_b, roles: [viewer], sha256: %s}", 3, "keys[0].id"),
        ("{id: a, roles: [], sha256: %s}", 3, "keys[0].roles"),
        ("{id: a, roles: [root], sha256: %s}", 3, "keys[0].roles[0]"),
        ("{id: a, roles: [viewer], sha256: 'AB'}", 3, "keys[0].sha256"),
        ("{id: a, roles: [viewer]}", 3, "keys[0]"),
        ("{id: a, roles: [viewer], certificate: ''}", 3, "keys[0].certificate"),
        ("{id: a, roles: [viewer], sha256: %s, models: []}", 3, "keys[0].models"),
        ("{id: a, roles: [viewer], sha256: %s, models: ['../x']}", 3, "keys[0].models"),
        ("{id: a, roles: [viewer], sha256: %s, expires: tomorrow}", 3, "keys[0].expires"),
        ("{id: a, roles: [viewer], sha256: %s, expires: 2027-01-01T00:00:00}", 3, "keys[0].expires"),
        (
            "{id: a, roles: [viewer], sha256: %s, not_before: 2027-01-01T00:00:00Z,"
            " expires: 2027-01-01T00:00:00Z}",
            3,
            "keys[0].expires",
        ),
        ("{id: a, roles: [viewer], sha256: %s, secret: x}", 3, "keys[0].secret"),
    ],
)
def test_a_wrong_entry_is_refused_with_line_and_key(entry: str, line: int, key: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        read_keys(document(entry.replace("%s", DIGEST)), "keys.yaml")
    assert f"keys.yaml:{line}: {key}" in str(refused.value)


def test_one_secret_is_of_one_key_and_an_id_has_at_most_two() -> None:
    entry = "{id: %s, roles: [viewer], sha256: %s}"
    with pytest.raises(InvalidFile, match="secret of another key"):
        read_keys(document(entry % ("a", DIGEST), entry % ("b", DIGEST)), "k")
    digests = [digit * 64 for digit in "123"]
    assert len(read_keys(document(*(entry % ("a", f"'{d}'") for d in digests[:2])), "k").keys) == 2
    with pytest.raises(InvalidFile, match="at most 2"):
        read_keys(document(*(entry % ("a", f"'{d}'") for d in digests)), "k")
    certificate = "{id: %s, roles: [viewer], certificate: cn}"
    with pytest.raises(InvalidFile, match="certificate of another id"):
        read_keys(document(certificate % "a", certificate % "b"), "k")


def test_a_key_holds_from_its_start_and_not_at_its_end() -> None:
    def entry(start: datetime | None, end: datetime | None) -> KeyEntry:
        told = [None if at is None else at.isoformat() for at in (start, end)]
        return KeyEntry("a", (Role.VIEWER,), sha256=DIGEST, not_before=told[0], expires=told[1])

    second = timedelta(seconds=1)
    assert entry(None, None).holds_at(NOON)
    assert entry(NOON, None).holds_at(NOON)
    assert not entry(NOON + second, None).holds_at(NOON)
    assert entry(None, NOON + second).holds_at(NOON)
    assert not entry(None, NOON).holds_at(NOON)


def test_a_key_text_is_read_back_whatever_its_secret() -> None:
    for secret in (new_secret(), "_" * 43, "-_" * 20):
        match = KEY_TEXT.fullmatch(key_text("load-1", secret))
        assert match is not None
        assert match.groups() == ("load-1", secret)
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(digest_of(new_secret())) == 64
