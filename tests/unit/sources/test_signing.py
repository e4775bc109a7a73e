"""The signing key is its owner's alone, made once, and what it signs fits no other key."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from maestro_cli.core.errors import InvalidFile, UsageError
from maestro_cli.sources.signing import fits, read_public_key, signer_in, signer_of_pem


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "keys"
    with ThreadPoolExecutor(4) as pool:
        keys = {one.public_key for one in pool.map(lambda _: signer_in(folder), range(8))}
    assert len(keys) == 1
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    signer_in(tmp_path)
    (tmp_path / "export-ed25519.pem").chmod(0o640)
    with pytest.raises(InvalidFile, match="others may use"):
        signer_in(tmp_path)


def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    for text in ("", "hunter2", "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(InvalidFile) as refused:
            signer_of_pem(text, "env:KEY")
        assert "hunter2" not in str(refused.value)


def test_a_signature_fits_its_data_and_its_key_alone(tmp_path: Path) -> None:
    one, other = signer_in(tmp_path / "one"), signer_in(tmp_path / "other")
    signature = one.sign(b"data")
    assert fits(one.public_key, signature, b"data")
    assert not fits(one.public_key, signature, b"date")
    assert not fits(other.public_key, signature, b"data")
    assert not fits(one.public_key, signature[:-1], b"data")
    assert not fits("ed25519:zz", signature, b"data")
    assert not fits("", signature, b"data")


def test_a_public_key_is_read_from_text_or_a_file(tmp_path: Path) -> None:
    key = signer_in(tmp_path).public_key
    (tmp_path / "public").write_text(f"{key}\n")
    assert read_public_key(key) == read_public_key(str(tmp_path / "public")) == key
    with pytest.raises(UsageError):
        read_public_key("ed25519:abc")
    with pytest.raises(InvalidFile):
        read_public_key(str(tmp_path / "export-ed25519.pem"))
    with pytest.raises(InvalidFile):
        read_public_key(str(tmp_path / "missing"))
    with pytest.raises(InvalidFile):
        read_public_key("~nosuchuser/key")
