"""Builds that are cancelled, killed, or two at once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted
from maestro_cli.local.kubernetes.build import ensure_binary
from maestro_cli.local.kubernetes.build_cache import Binary
from maestro_cli.local.kubernetes.build_target import Module, this_machine
from tests.contract.cluster.running import until
from tests.fake_go import GoScript, is_alive
from tests.unit.local.kubernetes.conftest import FOREIGN, Ensure, Told, names


def test_a_cancelled_build_ends_every_process_and_leaves_nothing(
    ensure: Ensure, go: GoScript, told: Told, builds: Path
) -> None:
    go.answers(gate=str(go.gate))
    cancellation = Cancellation()

    def stop(text: str) -> None:
        if text.startswith("2 of 3 packages"):
            until(lambda: go.compiling, "the compiler")
            cancellation.cancel()

    told.on_update = stop
    with pytest.raises(Interrupted):
        ensure(cancellation)
    assert len(go.compiling) == 2
    until(lambda: not any(map(is_alive, go.compiling)), "the end of what was killed")
    assert names(builds) == set()
    assert told.notes[-1].startswith("cancelled; removing")


def test_two_builds_at_once_are_one_build(go: GoScript, builds: Path) -> None:
    go.answers(gate=str(go.gate))
    first, second = Told(), Told()
    found: dict[str, Binary] = {}

    def run(name: str, told: Told) -> None:
        found[name] = ensure_binary(told, Cancellation(), environment=go.environment)

    one = threading.Thread(target=run, args=("one", first))
    one.start()
    until(lambda: go.compiling, "the compiler")
    other = threading.Thread(target=run, args=("other", second))
    other.start()
    until(lambda: "wait" in second.phases, "the other to wait")
    go.gate.touch()
    one.join(60)
    other.join(60)
    assert (found["one"].origin, found["other"].origin) == ("built", "cache")
    assert found["one"].path == found["other"].path
    assert len(go.calls("build")) == 1
    assert second.phases == ["wait"]
    assert second.notes == ["another maestro builds the control plane; waiting for it"]


def test_who_waits_can_be_cancelled_and_the_other_build_goes_on(go: GoScript, builds: Path) -> None:
    go.answers(gate=str(go.gate))
    found: list[Binary] = []
    one = threading.Thread(
        target=lambda: found.append(ensure_binary(Told(), Cancellation(), environment=go.environment))
    )
    one.start()
    until(lambda: go.compiling, "the compiler")
    cancelled = Cancellation()
    cancelled.cancel()
    with pytest.raises(Interrupted):
        ensure_binary(Told(), cancelled, environment=go.environment)
    go.gate.touch()
    one.join(60)
    assert found[0].path.exists()


def test_what_a_killed_build_left_is_removed_by_the_next_look(ensure: Ensure, builds: Path) -> None:
    ensure()
    stale = builds / "building-999999"
    (stale / "cache").mkdir(parents=True)
    (stale / "cache" / "object").write_text("x", encoding="utf-8")
    assert ensure().origin == "cache"
    assert names(builds) == {Module().key(this_machine())}


def test_what_a_running_build_has_is_left_alone(go: GoScript, builds: Path, told: Told) -> None:
    ensure_binary(told, Cancellation(), environment=go.environment)
    go.answers(gate=str(go.gate))
    other = threading.Thread(
        target=ensure_binary,
        args=(Told(), Cancellation()),
        kwargs={"environment": go.environment, "target": FOREIGN},
    )
    other.start()
    until(lambda: go.compiling, "the compiler")
    assert ensure_binary(told, Cancellation(), environment=go.environment).origin == "cache"
    assert [path for path in builds.glob("building-*") if path.is_dir()]
    go.gate.touch()
    other.join(60)
    assert names(builds) == {Module().key(this_machine()), Module().key(FOREIGN)}
