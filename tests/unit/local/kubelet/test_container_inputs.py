"""Environment, arguments, mounts, volumes and images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.local.images import ImageProblem, resolve
from maestro_cli.local.kubelet.content import ContentMissing, Contents, environment_references
from maestro_cli.local.kubelet.environment import (
    build_environment,
    command_line,
    expand,
    field_value,
    resource_value,
    translate,
)
from maestro_cli.local.kubelet.volumes import (
    MountProblem,
    VolumeFile,
    mounts_of,
    set_up,
    write_atomically,
)

POD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "namespace": "ml",
        "uid": "u",
        "labels": {"app": "web"},
        "annotations": {"a": 'x"\n'},
    },
    "spec": {"nodeName": "node-a", "containers": []},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)-$(B)", "1-$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A $", "$A $"),
        ("$(A", "$(A"),
    ],
)
def test_variables_in_arguments(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


def test_later_entries_see_earlier_ones_and_win() -> None:
    contents = Contents({("configmap", "m"): {"A": b"from map", "a=b": b"x", "1 of them": b"y", "C": b"c"}})
    container = {
        "envFrom": [{"configMapRef": {"name": "m"}}],
        "env": [{"name": "A", "value": "own"}, {"name": "B", "value": "$(A)$(BASE)"}],
    }
    made = build_environment(POD, container, contents, base={"BASE": "!"}, address="127.244.1.2")
    assert made == {"BASE": "!", "A": "own", "B": "own!", "C": "c", "1 of them": "y"}


def test_a_missing_key_is_an_error_unless_optional() -> None:
    contents = Contents({("secret", "s"): {"there": b"x"}, ("configmap", "gone"): None})

    def container(kind: str, **reference: Any) -> dict[str, Any]:
        return {"env": [{"name": "A", "valueFrom": {kind: reference}}]}

    def build(made: dict[str, Any]) -> dict[str, str]:
        return build_environment(POD, made, contents, base={}, address="")

    assert build(container("secretKeyRef", name="s", key="there")) == {"A": "x"}
    assert build(container("secretKeyRef", name="s", key="absent", optional=True)) == {}
    assert build(container("configMapKeyRef", name="gone", key="k", optional=True)) == {}
    with pytest.raises(ContentMissing, match="couldn't find key absent in Secret ml/s"):
        build(container("secretKeyRef", name="s", key="absent"))
    with pytest.raises(ContentMissing, match='configmap "gone" not found'):
        build(container("configMapKeyRef", name="gone", key="k"))
    assert environment_references(container("secretKeyRef", name="s", key="k")) == {("secret", "s")}


def test_the_downward_api() -> None:
    assert field_value(POD, "metadata.labels['app']", "") == "web"
    assert field_value(POD, "metadata.annotations", "") == 'a="x\\"\\n"'
    assert field_value(POD, "status.podIP", "127.244.1.2") == "127.244.1.2"
    with pytest.raises(ContentMissing, match="fieldPath"):
        field_value(POD, "spec.containers", "")
    container = {"resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}}}
    assert resource_value(container, {"resource": "limits.cpu"}) == "2"
    assert resource_value(container, {"resource": "limits.memory", "divisor": "1Mi"}) == "64"


def test_mount_paths_are_translated_where_they_stand_for_a_path() -> None:
    mounts = {"/models": "/host/m", "/models/extra": "/host/e", "/": "/host/root"}
    container = {"args": ["--dir=/models/fraud", "/models", "/modelsX", "a:/models/extra/x", "no/models"]}
    assert command_line(container, ["serve"], {}, mounts) == [
        "serve", "--dir=/host/m/fraud", "/host/m", "/modelsX", "a:/host/e/x", "no/models",
    ]  # fmt: skip
    script = "cat /models/x >'/models/y' && ls /modelsX a/models"
    assert translate(script, mounts) == "cat /host/m/x >'/host/m/y' && ls /modelsX a/models"


@given(st.text(max_size=40))
def test_text_without_a_mount_path_stays(text: str) -> None:
    assert translate(text, {"/no/such/mount": "/x"}) == text or "/no/such/mount" in text


def test_a_volume_changes_at_once_and_forgets_old_keys(tmp_path: Path) -> None:
    place = tmp_path / "volume"
    place.mkdir()
    first = {"a": VolumeFile(b"1"), "deep/b": VolumeFile(b"2", 0o600)}
    assert write_atomically(place, first, 0o640)
    assert not write_atomically(place, first, 0o640), "nothing to do"
    assert (place / "deep" / "b").read_bytes() == b"2"
    assert (place / "a").stat().st_mode & 0o777 == 0o640
    assert (place / "deep" / "b").stat().st_mode & 0o777 == 0o600, "a mode of its own"
    opened = (place / "..data").resolve()
    assert write_atomically(place, {"a": VolumeFile(b"3")}, 0o644)
    assert (place / "a").read_bytes() == b"3"
    assert sorted(entry.name for entry in place.iterdir() if not entry.name.startswith("..")) == ["a"]
    assert not opened.exists()


def test_a_volume_that_cannot_be_written_leaves_no_folder_behind(tmp_path: Path) -> None:
    place = tmp_path / "volume"
    place.mkdir()
    for _ in range(2):
        with pytest.raises(OSError, match="a"):
            write_atomically(place, {"a": VolumeFile(b"1"), "a/b": VolumeFile(b"2")}, 0o644)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../b", "..data", ""])
def test_no_key_leaves_its_volume(tmp_path: Path, path: str) -> None:
    with pytest.raises(MountProblem):
        write_atomically(tmp_path / "v", {path: VolumeFile(b"x")}, 0o644)


def test_volumes_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MountProblem, match="nfs is not supported"):
        set_up(POD, {"name": "v", "nfs": {}}, tmp_path, Contents({}), "")
    with pytest.raises(MountProblem, match="does not exist"):
        set_up(POD, {"name": "v", "hostPath": {"path": "/no/such/folder"}}, tmp_path, Contents({}), "")
    items = {"name": "m", "items": [{"key": "absent", "path": "x"}]}
    with pytest.raises(MountProblem, match="non-existent config key: absent"):
        set_up(POD, {"name": "v", "configMap": items}, tmp_path, Contents({("configmap", "m"): {}}), "")


def test_mounts_point_into_volumes_and_hosts() -> None:
    made = {
        "spec": {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/data"}}]}
    }
    mounts = [
        {"name": "v", "mountPath": "/v", "subPath": "in"},
        {"name": "h", "mountPath": "/h"},
        {"name": "unknown", "mountPath": "/u"},
    ]
    assert mounts_of(made, {"volumeMounts": mounts}, Path("/s"), {}) == {"/v": "/s/v/in", "/h": "/data"}


def test_images() -> None:
    assert resolve("maestro.local/model-server:2", has_command=False).entrypoint[0] == sys.executable
    assert resolve("busybox", has_command=True).entrypoint == ()
    assert resolve("a__b/c--d---e.f_g:1", has_command=True).entrypoint == ()
    assert resolve("localhost:5000/a/b_c:1@sha256:" + "0" * 64, has_command=True).entrypoint == ()
    for image, has_command, reason in (
        ("busybox", False, "ErrImagePull"),
        ("maestro.local/other:1", True, "ErrImagePull"),
        ("maestro.local/model-serverx", True, "ErrImagePull"),
        ("Not An Image", True, "InvalidImageName"),
        ("a:tag:tag", True, "InvalidImageName"),
        ("a" + "-a" * 20_000 + "!", True, "InvalidImageName"),  # read once, or this test never ends
        ("a" * 256, True, "InvalidImageName"),
        ("a..b", True, "InvalidImageName"),
        ("a___b", True, "InvalidImageName"),
    ):
        with pytest.raises(ImageProblem) as problem:
            resolve(image, has_command=has_command)
        assert problem.value.reason == reason, image
