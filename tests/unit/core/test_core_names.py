"""Workloads, identifiers, errors and exit codes are named in one way."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core import errors
from maestro_cli.core.errors import (
    EXIT_CODE_MEANINGS,
    ExitCode,
    Interrupted,
    InvalidFile,
    MaestroError,
    UsageError,
)
from maestro_cli.core.ids import new_id
from maestro_cli.core.refs import (
    ObjectRef,
    WorkloadRef,
    parse_node_ref,
    parse_object_ref,
    parse_pod_ref,
    parse_workload_ref,
    ref_of,
)

FRAUD = WorkloadRef("Deployment", "ml", "fraud")
DESIGN_CODES = {0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 17, 20, 75, 124, 130, 143}


@pytest.mark.parametrize("text", ["fraud", "deploy/fraud", "Deployments/fraud", "ml/deploy/fraud"])
def test_a_workload_is_named_in_several_ways(text: str) -> None:
    assert parse_workload_ref(text, namespace="ml") == FRAUD


@pytest.mark.parametrize(
    "ref", [FRAUD, WorkloadRef("StatefulSet", "a", "b"), WorkloadRef("DaemonSet", "a", "b.c")]
)
def test_what_a_workload_prints_reads_back(ref: WorkloadRef) -> None:
    assert parse_workload_ref(str(ref)) == ref


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("node/a", ObjectRef("Node", "", "a")),
        ("no/a.example", ObjectRef("Node", "", "a.example")),
        ("pod/b", ObjectRef("Pod", "ml", "b")),
        ("other/pod/b", ObjectRef("Pod", "other", "b")),
        ("fraud", FRAUD),
        ("sts/pod", WorkloadRef("StatefulSet", "ml", "pod")),
        ("node", WorkloadRef("Deployment", "ml", "node")),
    ],
)
def test_any_object_is_named_by_its_kind(text: str, ref: ObjectRef) -> None:
    read = parse_object_ref(text, namespace="ml")
    assert (read, type(read)) == (ref, type(ref))
    assert parse_object_ref(str(read)) == ref
    assert ref_of(ref.kind, ref.namespace, ref.name) == ref


@pytest.mark.parametrize(
    "text", ["ml/node/a", "pod/b", "node/", "pod/", "a/b/pod/c", "/pod/b", "node/a/..", "job/x", "node/A"]
)
def test_what_names_no_object_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_object_ref(text)


def test_nodes_and_pods_are_named_bare_or_as_they_print() -> None:
    node, pod = ObjectRef("Node", "", "a"), ObjectRef("Pod", "ml", "fraud-1")
    assert [parse_node_ref(text) for text in ("a", "node/a", str(node))] == [node] * 3
    assert [parse_pod_ref(text, namespace="ml") for text in ("fraud-1", "po/fraud-1", str(pod))] == [pod] * 3


@pytest.mark.parametrize(("text", "read"), [("pod/a", parse_node_ref), ("ml/deploy/a", parse_pod_ref)])
def test_a_node_is_no_pod_and_a_pod_no_workload(text: str, read: Callable[[str], ObjectRef]) -> None:
    with pytest.raises(UsageError, match="does not name a"):
        read(text)


def test_the_namespace_in_the_name_wins() -> None:
    assert parse_workload_ref("other/deploy/fraud", namespace="ml").namespace == "other"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "ml//fraud",
        "pod/fraud",
        "a/b/c/d",
        "Fraud",
        "fraud;rm",
        "../x",
        "-a",
        "fr\u202eaud",
        "a" * 254,
    ],
)
def test_what_names_no_workload_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_workload_ref(text, namespace="ml")


def test_a_workload_without_a_namespace_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="namespace"):
        parse_workload_ref("fraud")


@given(st.text())
def test_reading_a_name_raises_nothing_but_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse_workload_ref(text, namespace="ml")


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(1, 10**9))
def test_identifiers_sort_by_time(start: datetime, milliseconds: int) -> None:
    early = start.replace(tzinfo=UTC)
    assert new_id("inc", early) < new_id("inc", early + timedelta(milliseconds=milliseconds + 1))


def test_identifiers_of_one_instant_differ_and_can_be_typed() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = [new_id("inc", now) for _ in range(20_000)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch("inc-[0-9a-hjkmnp-tv-z]{14}", name) for name in made)


def test_the_exit_codes_are_those_of_the_design_and_each_has_a_meaning() -> None:
    assert {int(code) for code in ExitCode} == DESIGN_CODES
    assert set(EXIT_CODE_MEANINGS) == set(ExitCode)
    assert all(EXIT_CODE_MEANINGS.values())


def test_every_kind_of_error_ends_with_a_code_of_its_own() -> None:
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, MaestroError)]
    first_level = [k.exit_code for k in kinds if k.__base__ is MaestroError]
    assert len(first_level) == len(set(first_level))
    assert ExitCode.INTERNAL not in first_level
    assert ExitCode.OK not in first_level


def test_an_invalid_file_says_where() -> None:
    error = InvalidFile("is wrong", file="a.yaml", line=3, key="b.c", why="because", fix="do")
    assert (error.what, error.where) == ("a.yaml:3: b.c: is wrong", "a.yaml:3")
    assert InvalidFile("is wrong", file="a.yaml").what == "a.yaml: is wrong"


def test_an_interruption_ends_as_the_signal_says() -> None:
    assert Interrupted().exit_code is ExitCode.SIGINT
    assert Interrupted(terminated=True).exit_code is ExitCode.SIGTERM
