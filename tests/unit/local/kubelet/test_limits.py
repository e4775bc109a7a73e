"""Verdicts on whole pods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from maestro_cli.local.kubelet.limits import has_limits, judge
from maestro_cli.local.objects import timestamp

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def pod(**spec: Any) -> dict[str, Any]:
    started = timestamp(NOW - timedelta(seconds=10))
    return {"metadata": {"name": "p"}, "spec": spec, "status": {"startTime": started}}


def test_a_deadline_counts_from_the_start(tmp_path: Path) -> None:
    assert judge(pod(activeDeadlineSeconds=11), tmp_path, NOW) is None
    verdict = judge(pod(activeDeadlineSeconds=10), tmp_path, NOW)
    assert verdict is not None
    assert (verdict.reason, verdict.is_eviction) == ("DeadlineExceeded", False)
    assert judge(pod(activeDeadlineSeconds=1) | {"status": {}}, tmp_path, NOW) is None, "not started yet"


def test_what_is_written_counts_against_the_limit_and_links_do_not(tmp_path: Path) -> None:
    made = pod(volumes=[{"name": "v", "emptyDir": {"sizeLimit": "64Ki"}}])
    (tmp_path / "v" / "deep").mkdir(parents=True)
    (tmp_path / "big").write_bytes(b"x" * 200_000)
    (tmp_path / "v" / "link").symlink_to(tmp_path / "big")
    assert judge(made, tmp_path, NOW) is None
    (tmp_path / "v" / "deep" / "file").write_bytes(b"x" * 200_000)
    verdict = judge(made, tmp_path, NOW)
    assert verdict is not None
    assert verdict.is_eviction
    assert verdict.message == 'Usage of EmptyDir volume "v" exceeds the limit "64Ki". '


def test_only_pods_with_limits_are_looked_at() -> None:
    assert not has_limits(pod(volumes=[{"name": "v", "emptyDir": {}}]))
    assert has_limits(pod(volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1Mi"}}]))
    assert has_limits(pod(activeDeadlineSeconds=1))
