"""An `up` that fails ends what it started, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import TimedOut
from maestro_cli.core.progress import Progress, Quiet
from maestro_cli.local.instance import Record, write_record
from maestro_cli.local.platform import EmbeddedPlatform


@pytest.mark.parametrize("by", ["itself", "another", "nobody"])
def test_a_failed_up_takes_down_its_own_platform_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """While it waited, somebody took the folder's platform down and began another one."""

    def wait(self: EmbeddedPlatform, own: str, *_: object) -> None:
        if by != "nobody":
            id_ = own if by == "itself" else "local-ffffffff-01another"
            write_record(
                tmp_path, Record(id_, 2**22 + 1, "starting", "2026-11-25T00:00:00Z", "drill", "lite", 1)
            )
        raise TimedOut("not ready")

    down: list[Progress] = []
    monkeypatch.setattr(EmbeddedPlatform, "_spawn", lambda *_: None)
    monkeypatch.setattr(EmbeddedPlatform, "_await_ready", wait)
    monkeypatch.setattr(EmbeddedPlatform, "down", lambda self, *, progress: down.append(progress))
    monkeypatch.setattr("maestro_cli.local.platform.find_programs", lambda _: None)
    platform = EmbeddedPlatform(tmp_path, clock=SystemClock())
    with pytest.raises(TimedOut):
        platform.up(progress=Quiet(), cancellation=Cancellation())
    assert bool(down) is (by != "another")
