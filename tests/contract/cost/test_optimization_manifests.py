"""Manifests of `deploy/optimization` are what the Go types of their APIs decode, strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.config.strict import parse_yaml_all
from maestro_cli.cost.spot.batch import read_batches
from tests.peers.manifests.program import OPTIMIZATION

pytestmark = pytest.mark.contract
PROGRAM = OPTIMIZATION.found_program()  # tests have a cache folder of their own
FILES = OPTIMIZATION.files
# A word that each file has, and one that its type has not.
MUTANTS = {
    "batch-disruption-budget.yaml": ("maxUnavailable", "maxUnavailables"),
    "batch-on-spot.yaml": ("podFailurePolicy", "podFailurePolicies"),
    "model-server-vpa.yaml": ("updatePolicy", "updatesPolicy"),
    "serving-node-pool.yaml": ("consolidateAfter", "consolidatesAfter"),
    "spot-node-pool.yaml": ("amiSelectorTerms", "amiSelectorTerm"),
}


def built() -> Path:
    if PROGRAM is None:
        pytest.skip("the types are not built: python -m tests.peers.manifests.program")
    return PROGRAM


def test_each_manifest_is_the_one_that_was_decoded_by_these_versions() -> None:
    assert OPTIMIZATION.is_current(), "run: python -m tests.peers.manifests.program"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_manifest_is_decoded_strictly(file: Path) -> None:
    assert OPTIMIZATION.decode(built(), file.read_bytes()) == ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_field_that_a_type_has_not_is_refused(file: Path) -> None:
    right, wrong = MUTANTS[file.name]
    content = file.read_text(encoding="utf-8")
    assert f"{right}:" in content
    assert wrong in OPTIMIZATION.decode(built(), content.replace(f"{right}:", f"{wrong}:").encode())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_api_server_takes_the_names(file: Path) -> None:
    """RFC 1123, which the Go types do not check: `kubectl apply --dry-run=server` does."""
    for document in parse_yaml_all(file.read_text(encoding="utf-8"), str(file)):
        names = set(_names(document.data))
        assert names, "no name was found"
        assert {name for name in names if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name)} == set()


def _names(part: Any) -> Iterator[str]:
    """Of the object, and of claims that it mounts."""
    if isinstance(part, list):
        for one in part:
            yield from _names(one)
    elif isinstance(part, dict):
        yield from (part[key] for key in ("name", "claimName") if isinstance(part.get(key), str))
        for one in part.values():
            yield from _names(one)


def test_the_shipped_batch_work_is_read_as_work_that_can_run_on_spot() -> None:
    file = OPTIMIZATION.manifests / "batch-on-spot.yaml"
    (document,) = parse_yaml_all(file.read_text(encoding="utf-8"), str(file))
    (batch,) = read_batches([], [document.data])
    assert not batch.hindrances
    assert (batch.cpu, batch.memory_gib, batch.checkpoint_every_hours) == (4.0, 16.0, 1.0)
    assert batch.checkpoint_hours == pytest.approx(2 / 60)
