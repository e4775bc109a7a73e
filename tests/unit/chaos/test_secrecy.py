"""No secret of an experiment is in what is written or said of it, and what identifies is never changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.chaos.model import Findings, Injected, Injection, Kind, Stop
from maestro_cli.chaos.secrecy import MARK, Secrecy, literal_secrets

DOCUMENT = {
    "secrets": {
        "a": {"token": "one-one", "key": {"type": "env", "key": "NAME", "default": "two-two"}},
        "b": {"type": "vault", "path": "p"},
        "c": {"pins": [918273, {"deep": "three-three"}], "on": True},
    }
}


def test_secrets_that_stand_in_the_file_are_known_and_references_are_none() -> None:
    found = literal_secrets(DOCUMENT, {"c": {"d": "four"}})
    assert found == ["one-one", "two-two", "918273", "three-three", "four"]


@pytest.mark.parametrize("resolved", ["a-word-of-env", 77665544, ["a-word-of-env"], {"x": ("y", 77665544)}])
def test_what_a_secret_was_resolved_to_is_known_from_then_on(resolved: object) -> None:
    secrecy = Secrecy({}, {})
    assert secrecy.clean({"a": "a-word-of-env", "b": 77665544})["a"] == "a-word-of-env"
    secrecy.learn({"group": {"name": resolved}})
    said = {"is": f"it was {resolved}", "numbers": [77665544, 7766554, 1.5, True], "text": "a-word-of-env"}
    cleaned = str(secrecy.clean(said))
    assert MARK in cleaned
    assert all(one not in cleaned for one in ("a-word-of-env", "77665544") if one in str(resolved))
    assert "7766554, 1.5, True" in cleaned


def test_words_are_cleaned_and_names_are_not() -> None:
    """By its names a fault is taken back, whatever a file calls a secret."""
    secrecy = Secrecy({"secrets": {"a": {"user": "fraud"}}}, {})
    record = {
        "fault": "fraud",
        "why": "fraud: no",
        "stop": {"why": "fraud", "by": "fraud"},
        "residue": ["fraud"],
    }
    assert secrecy.words(record) == {
        "fault": "fraud", "why": f"{MARK}: no", "stop": {"why": MARK, "by": "fraud"}, "residue": [MARK],
    }  # fmt: skip
    found = secrecy.words(
        Findings(
            stop=Stop(Kind.ASKED, "fraud"), undo_failures=("fraud",),
            injections=(Injection("fraud", Injected.FAILED, "fraud", ("ml/pod/fraud",)),),
        )
    )  # fmt: skip
    assert (found.stop, found.undo_failures) == (Stop(Kind.ASKED, MARK), (MARK,))
    assert found.injections == (Injection("fraud", Injected.FAILED, MARK, ("ml/pod/fraud",)),)


def test_a_secret_decides_nothing_in_a_journal() -> None:
    """A file may call any word a secret; what its activities gave is cleaned, how they ended is kept."""
    secrecy = Secrecy({"secrets": {"a": {"b": "failed"}}}, {})
    run = {"status": "failed", "exception": ["it failed\n"], "output": {"x": ["failed"]}}
    assert secrecy.words({"rollbacks": [run]}) == {
        "rollbacks": [{"status": "failed", "exception": [f"it {MARK}\n"], "output": {"x": [MARK]}}]
    }


def test_a_file_is_rewritten_where_a_secret_is_in_it_and_for_its_owner_alone(tmp_path: Path) -> None:
    secrecy, clean, dirty = Secrecy(DOCUMENT, {}), tmp_path / "clean", tmp_path / "dirty"
    clean.write_bytes(b"well \xff\n")
    dirty.write_bytes(b"\xff one-one\n")
    before = clean.stat().st_ino
    for path in (clean, dirty):
        secrecy.clean_file(path)
    assert (clean.read_bytes(), clean.stat().st_ino) == (b"well \xff\n", before)
    assert dirty.read_bytes() == b"\xff " + MARK.encode() + b"\n"
    assert dirty.stat().st_mode & 0o077 == 0
