"""The control plane that lists are measured on starts, and serves what it is filled with."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest

from tests.bench.control_plane import control_plane
from tests.bench.population import populate


@pytest.mark.kubernetes
@pytest.mark.contract
def test_the_control_plane_of_the_bench_serves_the_pods_it_was_filled_with(tmp_path: Path) -> None:
    with control_plane(tmp_path / "plane") as plane:
        populate(plane, 20)
        trusting = ssl.create_default_context(cafile=str(plane.authority))
        headers = {"Authorization": f"Bearer {plane.token}"}
        with httpx.Client(verify=trusting, trust_env=False, headers=headers, timeout=60) as client:
            assert len(client.get(f"{plane.server}/api/v1/pods").json()["items"]) == 20
