"""The keys file is followed: what is put into it, taken out of it, broken, and deleted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.core.errors import InvalidFile
from maestro_cli.serving.access.file import GRACE_SECONDS
from maestro_cli.serving.access.keys import KeyEntry, Keys, digest_of, key_text, new_secret, write_keys
from maestro_cli.serving.access.roles import Role
from tests.unit.serving.served import Served

SECRETS = {name: new_secret() for name in ("first", "second")}


class Followed:
    """A server, its keys file with the named keys in it, and a clock that moves by hand."""

    def __init__(self, file: Path, *arguments: str) -> None:
        self.file = file
        self.seconds = 0.0
        self.save("first")
        self.server = Served("--keys", str(file), *arguments)
        follower = self.server.application.replica.keys_file
        assert follower is not None
        self._follower = follower
        follower._clock = self  # type: ignore[assignment]

    def monotonic(self) -> float:
        return self.seconds

    def save(self, *names: str) -> None:
        entries = tuple(KeyEntry(name, (Role.VIEWER,), sha256=digest_of(SECRETS[name])) for name in names)
        self.file.write_text(write_keys(Keys("maestro.keys/1", entries)), encoding="utf-8")

    def look(self, after: float = 0.0) -> None:
        self.seconds += after
        self._follower.look()

    @property
    def let_in(self) -> set[str]:
        found = set()
        for name, secret in SECRETS.items():
            self.server.headers = {"x-api-key": key_text(name, secret)}
            if self.server.get("/v2/models").status_code == 200:
                found.add(name)
        return found

    @property
    def readiness(self) -> tuple[int, Any]:
        answer = self.server.get("/v2/health/ready")
        return answer.status_code, answer.json().get("error", "")

    def said(self, message: str) -> int:
        return [line["message"] for line in self.server.lines].count(message)


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path / "keys.yaml")


def test_what_is_put_into_the_file_holds_and_what_is_taken_out_does_not(followed: Followed) -> None:
    assert followed.let_in == {"first"}
    for names in ({"first", "second"}, {"second"}, set[str]()):
        followed.save(*sorted(names))
        followed.look()
        assert followed.let_in == names
    assert followed.readiness == (200, "")


def test_a_broken_file_leaves_the_keys_however_long_and_is_told_once(followed: Followed) -> None:
    followed.file.write_text("keys: [", encoding="utf-8")
    for _ in range(3):
        followed.look(GRACE_SECONDS)
    assert followed.let_in == {"first"}
    assert followed.said("keys refused") == 1


def gone(file: Path) -> None:
    file.unlink()


def link_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("nothing")


def folder_in_its_place(file: Path) -> None:
    file.unlink()
    file.mkdir()


def pipe_in_its_place(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("lose", [gone, link_to_nothing, folder_in_its_place, pipe_in_its_place])
def test_a_file_that_is_gone_for_good_takes_its_keys_with_it(followed: Followed, lose: Any) -> None:
    lose(followed.file)
    followed.look()
    followed.look(GRACE_SECONDS / 2)
    assert (followed.let_in, followed.readiness) == ({"first"}, (200, ""))
    followed.look(GRACE_SECONDS / 2)
    assert followed.let_in == set()
    status, why = followed.readiness
    assert status == 503
    assert "no key holds" in why
    assert f"{followed.file}: cannot be read: " in why
    followed.look(GRACE_SECONDS)
    assert (followed.said("keys refused"), followed.said("keys withdrawn")) == (1, 1)


def test_its_keys_hold_again_once_it_is_back_and_whole(followed: Followed) -> None:
    content = followed.file.read_bytes()
    followed.file.unlink()
    followed.look()
    followed.look(GRACE_SECONDS)
    followed.file.write_bytes(b"keys: [")
    followed.look()
    assert followed.let_in == set()
    followed.file.write_bytes(content)
    followed.look()
    assert (followed.let_in, followed.readiness) == ({"first"}, (200, ""))


def test_a_rotation_that_deletes_and_writes_anew_refuses_nobody(followed: Followed) -> None:
    for _ in range(3):  # each time away for less than the grace, together for longer
        content = followed.file.read_bytes()
        followed.file.unlink()
        followed.look()
        followed.look(GRACE_SECONDS * 0.9)
        assert followed.let_in == {"first"}
        followed.file.write_bytes(content)
        followed.look()
        assert followed.let_in == {"first"}
    assert followed.said("keys withdrawn") == 0


def test_a_process_that_cannot_look_goes_on_with_the_keys_it_knows(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> Iterator[None]:
        raise OSError(24, os.strerror(24))

    monkeypatch.setattr(Path, "open", refuse)
    followed.look()
    followed.look(GRACE_SECONDS)
    monkeypatch.undo()
    assert followed.let_in == {"first"}


def test_a_server_open_to_anybody_stays_ready_without_its_keys(tmp_path: Path) -> None:
    followed = Followed(tmp_path / "keys.yaml", "--open")
    followed.file.unlink()
    followed.look()
    followed.look(GRACE_SECONDS)
    assert (followed.let_in, followed.readiness) == (set(), (200, ""))


@pytest.mark.parametrize("content", ["", "schema: maestro.keys/2", "keys: [", "\xff", None])
def test_a_server_whose_keys_cannot_be_read_does_not_start(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys.yaml"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    with pytest.raises(InvalidFile, match=r"keys\.yaml"):
        Served("--keys", str(file))
