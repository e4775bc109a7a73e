"""A word that the platform does not know is refused with what, why and a fix, and no bad guess."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_cli.cli.commands.local import IDENTITIES
from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import MaestroError
from maestro_cli.core.progress import Quiet
from maestro_cli.local import certificates
from maestro_cli.local.kubernetes.build_target import parse_target
from maestro_cli.local.platform import EmbeddedPlatform

Refused = Callable[[EmbeddedPlatform], object]


def _up(**options: str) -> Refused:
    return lambda platform: platform.up(progress=Quiet(), cancellation=Cancellation(), **options)  # type: ignore[arg-type]


def _logs(part: str) -> Refused:
    return lambda platform: platform.logs(part, tail=1, follow=False, cancellation=Cancellation())


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedPlatform:
    """It seems to be up, with two kubeconfigs and one log."""
    monkeypatch.setattr(EmbeddedPlatform, "is_up", lambda self: True)
    for name in ("admin", "viewer"):
        (tmp_path / f"{name}.kubeconfig").touch()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "cluster.log").touch()
    return EmbeddedPlatform(tmp_path, clock=SystemClock(), environment={})


@pytest.mark.parametrize(
    ("ask", "why", "fix"),
    [
        (_up(cluster="foo"), "known here: lite, kubernetes", "name one of these"),
        (_up(cluster="kubernets"), "known here: lite, kubernetes", "did you mean 'kubernetes'?"),
        (_up(profile="zzz"), "known here: production, drill", "name one of these"),
        (lambda platform: platform.kubeconfig("root"), "known here: admin, viewer", "name one of these"),
        (_logs("nosuch"), "known here: cluster", "name one of these"),
        (_logs("cluter"), "known here: cluster", "did you mean 'cluster'?"),
        (lambda platform: parse_target("linux/arm"), "known here: linux/amd64, ", "mean 'linux/arm64'?"),
        (lambda platform: parse_target("foo/bar"), "known here: linux/amd64, ", "name one of these"),
        (lambda platform: parse_target("windows/amd64"), "known here: linux/amd64, ", "name one of these"),
    ],
)
def test_an_unknown_word_is_told_what_there_is(
    platform: EmbeddedPlatform, ask: Refused, why: str, fix: str
) -> None:
    with pytest.raises(MaestroError) as raised:
        ask(platform)
    assert raised.value.why.startswith(why)
    assert raised.value.fix.endswith(fix)


def test_a_platform_that_is_down_says_why_it_has_nothing(tmp_path: Path) -> None:
    down = EmbeddedPlatform(tmp_path, clock=SystemClock(), environment={})
    asks: tuple[Refused, ...] = (EmbeddedPlatform.kubeconfig, _logs("cluster"))
    for ask in asks:
        with pytest.raises(MaestroError) as raised:
            ask(down)
        assert raised.value.why
        assert raised.value.fix == "maestro local up"


def test_the_command_knows_every_identity() -> None:
    assert tuple(certificates.IDENTITIES) == IDENTITIES
