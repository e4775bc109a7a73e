"""What the Job controller remembers of jobs that are gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from maestro_cli.local.controllers.job import JobController
from maestro_cli.local.controllers.world import World


def test_of_a_job_that_is_gone_nothing_is_remembered() -> None:
    """Deleted while it backs off from a failure, it never comes to the end that forgets it."""
    store = SimpleNamespace(get=lambda key: None, by=lambda index, value: [], watch=lambda *_: None)
    world = cast(World, SimpleNamespace(jobs=store, pods=store, recorder=lambda name: None))
    controller = object.__new__(JobController)
    controller._world = world
    controller._failed_at = {"ml/again": ("uid-1", datetime(2026, 1, 1, tzinfo=UTC))}
    asyncio.run(controller.sync("ml/again"))
    assert controller._failed_at == {}


def test_the_failure_of_an_earlier_job_of_that_name_holds_up_no_other() -> None:
    controller = object.__new__(JobController)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    controller._failed_at = {"ml/again": ("uid-1", now)}

    def job(uid: str) -> dict[str, Any]:
        return {"metadata": {"name": "again", "namespace": "ml", "uid": uid}}

    assert controller._backing_off(job("uid-1"), {"failed": 1}, now) == 10
    assert controller._backing_off(job("uid-2"), {"failed": 1}, now) == 0
