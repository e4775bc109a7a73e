"""maestro's tables say what Chaos Mesh 2.8 says."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.chaos.mesh.fields import SHAPES
from maestro_cli.chaos.mesh.kinds import KINDS, MeshKind
from maestro_cli.chaos.mesh.notation import fields_of
from maestro_cli.core.canonical import digest
from tests.unit.chaos.mesh.definitions import definition
from tests.unit.chaos.mesh.published import DIGESTS, compared, digest_of, published

PUBLISHED = "CHAOS_MESH_CRDS"  # a folder as its repository's config/crd/bases
ALL = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


@ALL
def test_a_table_is_what_chaos_mesh_publishes(kind: MeshKind) -> None:
    """By the digest of what was published: the texts themselves are not part of maestro."""
    ours = definition(kind)
    assert digest_of(ours, ours) == DIGESTS[kind.name]


@pytest.mark.skipif(PUBLISHED not in os.environ, reason=f"{PUBLISHED} names no folder of definitions")
@ALL
def test_the_digests_are_of_the_published_definitions(kind: MeshKind) -> None:
    ours = definition(kind)
    theirs = published(Path(os.environ[PUBLISHED]), kind, ours)
    assert theirs == compared(ours, ours)
    assert digest(theirs) == DIGESTS[kind.name]


@ALL
def test_a_field_that_is_told_apart_changes_the_digest(kind: MeshKind) -> None:
    ours = definition(kind)
    wrong: dict[str, Any] = copy.deepcopy(ours)
    properties = wrong["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["more"] = {"type": "string"}
    assert digest_of(wrong, ours) != DIGESTS[kind.name]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_can_be_read(shape: str) -> None:
    fields = fields_of(shape)
    assert fields.types
    assert fields.required <= set(fields.types)
