"""The control plane that lists are measured on starts, and serves what it is filled with."""

from __future__ import annotations

import json
import ssl
import urllib.request
from pathlib import Path

import pytest

from tests.bench.control_plane import control_plane
from tests.bench.population import populate


@pytest.mark.kubernetes
@pytest.mark.contract
def test_the_control_plane_of_the_bench_serves_the_pods_it_was_filled_with(tmp_path: Path) -> None:
    with control_plane(tmp_path / "plane") as plane:
        populate(plane, 20)
        asked = urllib.request.Request(
            f"{plane.server}/api/v1/pods", headers={"Authorization": f"Bearer {plane.token}"}
        )
        trusting = ssl.create_default_context(cafile=str(plane.authority))
        with urllib.request.urlopen(asked, context=trusting, timeout=60) as answer:
            assert len(json.load(answer)["items"]) == 20
