"""The SLA report and its proof as a script meets them: shapes, formats, exit codes. No network is needed."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from maestro_cli.core.archives import pack, read_archive
from maestro_cli.core.verdict import Verdict
from maestro_cli.slo.measuring.window import calendar_span
from maestro_cli.slo.report.bundle import INPUTS, REPORT, pack_bundle
from maestro_cli.slo.report.model import DrillLine, Exclusion, IncidentLine, Inputs
from maestro_cli.slo.report.signature import Signature, signature_files
from tests.cli.program import Result, check_golden, maestro, started
from tests.unit.slo.report.month import ANSWERS, BACK, FAST, inputs, reported

FORMATS = ("table", "wide", "json", "yaml", "csv", "md", "jsonpath={.verdict}")
HOSTILE = "=1+1 | \x1b[31m<b>fraud</b>"
WEEK = calendar_span(datetime(2026, 10, 7, tzinfo=UTC), "week", "Europe/Berlin")


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def week(**others: object) -> Inputs:
    """A week: promises, maintenance that counts and that does not, an incident and a drill; hostile names."""
    named = replace(ANSWERS, name=f"{HOSTILE} answers", title=HOSTILE)
    wanted = replace(
        inputs(objectives=(named, FAST, BACK)),
        span=WEEK,
        unit="week",
        previous=1,
        waiting=(Exclusion("m2", at(8, 2), at(8, 4), HOSTILE, "ops"),),
        incidents=(IncidentLine("7", HOSTILE, "SEV2", at(6, 2), at(6, 5), 10800.0),),
        drills=(DrillLine(at(9, 0), HOSTILE, Verdict.PASS, 300.0, None),),
    )
    return replace(wanted, **others)  # type: ignore[arg-type]


def bundled(folder: Path, wanted: Inputs) -> Path:
    path = folder / "week.tar.gz"
    path.write_bytes(pack_bundle(*reported(wanted), ".tar.gz"))
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundled(tmp_path_factory.mktemp("sla"), week())


KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = f"ed25519:{KEY.public_key().public_bytes_raw().hex()}"


def signed(folder: Path, wanted: Inputs) -> Path:
    path = folder / "signed.tar.gz"
    report, pieces = reported(wanted)
    path.write_bytes(pack_bundle(report, pieces, ".tar.gz", lambda data: Signature(PUBLIC, KEY.sign(data))))
    return path


def test_who_signed_a_bundle_is_said_and_who_strips_that_is_found_by_the_key(
    bundle: Path, tmp_path: Path
) -> None:
    path = signed(tmp_path, week())
    known = maestro("sla", "verify", str(path), "--key", PUBLIC, "-o", "json")
    assert (known.code, json.loads(known.out)["signed_by"], json.loads(known.out)["is_trusted"]) == (
        0,
        PUBLIC,
        True,
    )
    unknown = json.loads(maestro("sla", "verify", str(path), "-o", "json").out)
    assert (unknown["verdict"], unknown["is_trusted"]) == ("PASS", False)
    other = maestro("sla", "verify", str(path), "--key", f"ed25519:{'0' * 64}")
    assert (other.code, PUBLIC in other.err) == (15, True)
    assert "INDETERMINATE" in other.out
    assert "PASS" not in other.out, "nobody who is trusted says so"
    assert "no problem" not in other.out
    stripped = maestro("sla", "verify", str(bundle), "--key", PUBLIC)
    assert (stripped.code, "it is not signed" in stripped.err) == (15, True)
    assert "nobody: who changes all of it" in stripped.out


def _signature_of_another(files: dict[str, bytes]) -> None:
    files.update(signature_files(Signature(PUBLIC, KEY.sign(b"another manifest"))))


def _another_key(files: dict[str, bytes]) -> None:
    files["public-key"] = f"ed25519:{'1' * 64}\n".encode()


def _no_key(files: dict[str, bytes]) -> None:
    del files["public-key"]


def _no_signature(files: dict[str, bytes]) -> None:
    files["manifest.sig"] = b"\xff"


@pytest.mark.parametrize("change", [_signature_of_another, _another_key, _no_key, _no_signature])
def test_a_signature_that_does_not_fit_is_found(
    tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    files = read_archive(signed(tmp_path, week()))
    change(files)
    path = tmp_path / "false.zip"
    path.write_bytes(pack(files, ".zip"))
    done = maestro("sla", "verify", str(path), "--key", PUBLIC)
    assert (done.code, "manifest.sig" in done.out) == (10, True)


def test_made_again_a_bundle_keeps_its_signature_and_may_be_signed_anew(tmp_path: Path) -> None:
    path = signed(tmp_path, week())
    same, anew = tmp_path / "same.tar.gz", tmp_path / "anew.tar.gz"
    assert maestro("sla", "report", "--from", str(path), "--to", str(same)).code == 10
    assert same.read_bytes() == path.read_bytes()
    own = Ed25519PrivateKey.from_private_bytes(bytes(32))
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    told = ("--from", str(path), "--to", str(anew), "--signing-key", "env:OWN_KEY")
    assert maestro("sla", "report", *told, env={"OWN_KEY": pem}).code == 10
    public = f"ed25519:{own.public_key().public_bytes_raw().hex()}"
    assert maestro("sla", "verify", str(anew), "--key", public).code == 0


def changed(bundle: Path, folder: Path) -> Path:
    """The same with a better verdict in its report."""
    files = read_archive(bundle)
    files[REPORT] = files[REPORT].replace(b'"verdict":"FAIL"', b'"verdict":"PASS"')
    path = folder / "changed.tar.gz"
    path.write_bytes(pack(files, ".tar.gz"))
    return path


def shown(done: Result) -> str:
    assert "\x1b" not in done.out
    return done.out


@pytest.mark.parametrize("form", FORMATS)
def test_a_report_is_the_same_in_every_format(bundle: Path, form: str) -> None:
    done = maestro("sla", "report", "--from", str(bundle), "-o", form)
    assert (done.code, done.err) == (10, ""), "a promise is broken"
    check_golden(f"sla-report.{form.partition('=')[0]}", shown(done))


@pytest.mark.parametrize("form", FORMATS)
def test_a_proof_is_the_same_in_every_format(bundle: Path, tmp_path: Path, form: str) -> None:
    false = changed(bundle, tmp_path)
    good, bad = (maestro("sla", "verify", one.name, "-o", form, cwd=one.parent) for one in (bundle, false))
    assert (good.code, good.err) == (0, "")
    assert bad.code == 10
    assert "ask who made it for it again" in bad.err
    name = form.partition("=")[0]
    check_golden(f"sla-verify.{name}", shown(good))
    check_golden(f"sla-verify-changed.{name}", shown(bad))


def test_two_people_write_the_same_bytes_wherever_they_are(bundle: Path, tmp_path: Path) -> None:
    """Another zone, language, order of hashes, mask of files, home and folder."""
    forms = ("a.html", "a.md", "a.json", "a.zip")
    found = []
    for number, (zone, language, mask) in enumerate(
        (("UTC", "C", 0o022), ("Asia/Tokyo", "de_DE.UTF-8", 0o077))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        env = {"TZ": zone, "LC_ALL": language, "PYTHONUTF8": "1", "PYTHONHASHSEED": str(number + 1)}
        env["HOME"] = str(folder)
        before = os.umask(mask)
        try:
            to = [word for form in forms for word in ("--to", form)]
            done = [
                started("sla", "report", "--from", str(bundle), *more, env=env, cwd=folder)
                for more in ((*to, "-o", "csv"), ("-o", "json"), ("-o", "md"))
            ]
        finally:
            os.umask(before)
        assert {one.code for one in done} == {10}, done[0].err
        written = [*folder.glob("a.*"), *folder.glob("a.pictures/*")]
        files = {path.name: path.read_bytes() for path in written if path.is_file()}
        found.append((files, [one.out for one in done]))
    assert found[0] == found[1]
    assert len(found[0][0]) > len(forms), "pictures are beside the Markdown"


def test_a_spreadsheet_runs_nothing_of_what_people_wrote(bundle: Path) -> None:
    lines = maestro("sla", "report", "--from", str(bundle), "-o", "csv").out.splitlines()
    assert len(lines) == 4
    assert not [line for line in lines if line.startswith(("=", '"=', "+", "-", "@"))]


@pytest.mark.parametrize(
    ("others", "code", "verdict"),
    [
        ({"objectives": (FAST, BACK)}, 0, "PASS"),
        ({}, 10, "FAIL"),
        ({"objectives": (FAST, BACK), "recovered": ()}, 15, "INDETERMINATE"),
        ({"objectives": ()}, 15, "INDETERMINATE"),
    ],
    ids=["kept", "broken", "not known", "nothing is no pass"],
)
def test_the_exit_code_is_by_the_verdict(
    tmp_path: Path, others: dict[str, object], code: int, verdict: str
) -> None:
    done = maestro("sla", "report", "--from", str(bundled(tmp_path, week(**others))), "-o", "json")
    assert (done.code, json.loads(done.out)["verdict"]) == (code, verdict)


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def _outside() -> bytes:
    return _tar((tarfile.TarInfo("../../inputs.json"), b"{}"))


def _link() -> bytes:
    member = tarfile.TarInfo("inputs.json")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return _tar((member, b""))


def _bomb() -> bytes:
    return gzip.compress(bytes(300 << 20), 1)


def _many() -> bytes:
    return _tar(*((tarfile.TarInfo(f"f{number}"), b"") for number in range(3000)))


def _huge_number() -> bytes:
    return _tar((tarfile.TarInfo("manifest.json"), b"1" * 5000))


@pytest.mark.parametrize("attack", [_outside, _link, _bomb, _many, _huge_number])
def test_an_archive_that_is_an_attack_is_refused_and_writes_nothing(
    tmp_path: Path, attack: Callable[[], bytes]
) -> None:
    path = tmp_path / "attack.tar.gz"
    path.write_bytes(attack())
    done = maestro("sla", "verify", str(path))
    assert (done.code, done.out) == (3, "")
    assert done.error_lines
    assert {one.name for one in tmp_path.iterdir()} == {path.name, "home"}


def _of_nothing(files: dict[str, bytes]) -> None:
    files.clear()
    files["a"] = b"b"


def _nan(files: dict[str, bytes]) -> None:
    files[INPUTS] = files[INPUTS].replace(b'"target":0.999', b'"target":NaN')


def _deep(files: dict[str, bytes]) -> None:
    files[INPUTS] = b"[" * 1_000_000


@pytest.mark.parametrize("change", [_of_nothing, _nan, _deep])
def test_what_is_no_bundle_is_refused_in_three_lines(
    bundle: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    files = read_archive(bundle)
    change(files)
    path = tmp_path / "none.zip"
    path.write_bytes(pack(files, ".zip"))
    for command in (("verify",), ("report", "--from")):
        done = maestro("sla", *command, str(path))
        assert (done.code, done.out) == (3, "")
        assert done.error_lines
    assert maestro("sla", "verify", str(tmp_path / "nowhere.zip")).code == 6
