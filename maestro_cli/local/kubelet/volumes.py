"""A pod's volumes as folders of this machine.

Invariant: a volume's content changes all at once (a new folder, then one renamed link `..data`), as
Kubernetes' AtomicWriter does it; no key can point outside its volume.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from maestro_cli.local.kubelet.content import ContentMissing, Contents
from maestro_cli.local.kubelet.environment import expand, field_value, resource_value
from maestro_cli.local.objects import Object

_DATA = "..data"
_SUPPORTED = ("emptyDir", "hostPath", "configMap", "secret", "downwardAPI", "projected")


class MountProblem(Exception):
    """A volume cannot be set up (yet)."""


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """One file of a volume; without a mode of its own it gets the volume's."""

    content: bytes
    mode: int | None = None


def set_up(
    pod: Object,
    volume: Object,
    folder: Path,
    contents: Contents,
    address: str,
    tokens: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Create or refresh one volume below `folder` (`volumes/`). Raises MountProblem.

    `tokens` are service account tokens by the path a projected volume wants them at.
    """
    place = folder / volume["name"]
    kind = next((kind for kind in _SUPPORTED if kind in volume), None)
    if kind is None:
        kinds = ", ".join(name for name in volume if name != "name")
        raise MountProblem(f"volume type {kinds} is not supported by the process kubelet")
    try:
        if kind == "hostPath":
            _check_host_path(volume[kind])
            return
        place.mkdir(parents=True, exist_ok=True)
        if kind == "emptyDir":
            return
        sources = (volume[kind].get("sources") or []) if kind == "projected" else [volume]
        files: dict[str, VolumeFile] = {}
        for source in sources:
            files |= _files(pod, source, contents, address, tokens)
        write_atomically(place, files, int(volume[kind].get("defaultMode") or 0o644))
    except ContentMissing as missing:
        raise MountProblem(str(missing)) from None
    except OSError as problem:
        raise MountProblem(f"{problem.filename or place}: {problem.strerror}") from None


def _check_host_path(wanted: Object) -> None:
    path, kind = Path(wanted["path"]), wanted.get("type") or ""
    if kind == "DirectoryOrCreate":
        path.mkdir(mode=0o755, parents=True, exist_ok=True)
    tests = {"Directory": Path.is_dir, "File": Path.is_file, "Socket": Path.is_socket}
    if not path.exists():
        raise MountProblem(f"hostPath {path} does not exist")
    if kind in tests and not tests[kind](path):
        raise MountProblem(f"hostPath type check failed: {path} is not a {kind.lower()}")


def _files(
    pod: Object, source: Object, contents: Contents, address: str, tokens: Mapping[str, bytes]
) -> dict[str, VolumeFile]:
    for kind in ("configMap", "secret"):
        if kind in source:
            values = contents.of_reference(kind, source[kind]) or {}
            return _selected(values, source[kind])
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or ()
        return {
            item["path"]: VolumeFile(_downward(pod, item, address).encode(), item.get("mode"))
            for item in items
        }
    if "serviceAccountToken" in source:
        path = source["serviceAccountToken"]["path"]
        return {path: VolumeFile(tokens[path], 0o600)} if path in tokens else {}
    raise ContentMissing(f"projected source {', '.join(source)} is not supported by the process kubelet")


def _downward(pod: Object, item: Object, address: str) -> str:
    if "resourceFieldRef" not in item:
        return field_value(pod, (item.get("fieldRef") or {}).get("fieldPath", ""), address)
    reference = item["resourceFieldRef"]
    containers = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]
    for container in containers:
        if container["name"] == reference.get("containerName"):
            return resource_value(container, reference)
    raise ContentMissing(f"container {reference.get('containerName')} not found")


def _selected(values: Mapping[str, bytes], source: Object) -> dict[str, VolumeFile]:
    items = source.get("items")
    if not items:
        return {name: VolumeFile(value) for name, value in values.items()}
    chosen = {}
    for item in items:
        if item["key"] in values:
            chosen[item["path"]] = VolumeFile(values[item["key"]], item.get("mode"))
        elif not source.get("optional"):
            raise ContentMissing(f"references non-existent config key: {item['key']}")
    return chosen


def write_atomically(place: Path, files: Mapping[str, VolumeFile], mode: int) -> bool:
    """Make the folder show exactly these files; False when it does already. Raises MountProblem."""
    for path in files:
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or not parts or parts[0].startswith(".."):
            raise MountProblem(f"invalid path {path!r} in a volume")
    current = place / _DATA
    if current.is_symlink() and _content(current) == {path: file.content for path, file in files.items()}:
        return False
    old = current.resolve() if current.is_symlink() else None
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=place))
    try:
        _fill(fresh, files, mode)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    beside = place / "..data_tmp"
    beside.unlink(missing_ok=True)
    beside.symlink_to(fresh.name)
    beside.replace(current)
    tops = {PurePosixPath(path).parts[0] for path in files}
    for top in tops:
        if not (place / top).is_symlink():
            (place / top).symlink_to(f"{_DATA}/{top}")
    for link in place.iterdir():
        if link.is_symlink() and not link.name.startswith("..") and link.name not in tops:
            link.unlink()
    if old is not None and old.parent == place.resolve():  # a pod may have made it a link to elsewhere
        shutil.rmtree(old, ignore_errors=True)
    return True


def _fill(fresh: Path, files: Mapping[str, VolumeFile], mode: int) -> None:
    fresh.chmod(0o755)
    for path, file in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(mode if file.mode is None else file.mode)


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mounts_of(pod: Object, container: Object, folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Where each mountPath of a container really is. Raises ContentMissing for a subPath that leads out."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    result = {}
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"])
        if volume is None:
            continue
        host = volume.get("hostPath")
        place = Path(host["path"]) if host else folder / mount["name"]
        inside = mount.get("subPath") or expand(mount.get("subPathExpr") or "", variables)
        result[mount["mountPath"]] = str(_sub_path(place, inside, create="emptyDir" in volume))
    return result


def _sub_path(place: Path, inside: str, *, create: bool) -> Path:
    """A path within a volume; a missing one in an empty directory is made, as Kubernetes does."""
    if not inside:
        return place
    found = place / inside
    if inside.startswith("/") or not found.resolve().is_relative_to(place.resolve()):
        raise ContentMissing(f'subPath "{inside}" leads out of its volume')
    if create and not found.exists():
        found.mkdir(parents=True)
    return found
