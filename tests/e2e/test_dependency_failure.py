"""What a replica depends on is away; on a platform of its own, since it costs a young one its budget."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.rehearsing import rehearsing, run

pytestmark = pytest.mark.e2e


def test_a_dependency_that_is_away_fails_few_requests_and_comes_back(tmp_path: Path) -> None:
    with rehearsing(tmp_path) as session:
        report = run(session, "dependency-failure")
        (effect,) = report["proof_of_effect"]
        assert effect["why"].startswith("met ")
        (recovery,) = report["proof_of_recovery"]
        assert recovery["recovered"]
        assert report["residue"] == []
