"""A pod's volumes as folders of this machine.

Invariant: a volume's content changes all at once (a new folder, then one renamed link `..data`), as
Kubernetes' AtomicWriter does it; no key can point outside its volume.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from maestro_cli.local.kubelet.content import ContentMissing, Contents
from maestro_cli.local.kubelet.environment import field_value
from maestro_cli.local.objects import Object

_DATA = "..data"
_SUPPORTED = ("emptyDir", "hostPath", "configMap", "secret", "downwardAPI", "projected")


class MountProblem(Exception):
    """A volume cannot be set up (yet)."""


def set_up(pod: Object, volume: Object, folder: Path, contents: Contents, address: str) -> None:
    """Create or refresh one volume below `folder` (`volumes/`). Raises MountProblem."""
    place = folder / volume["name"]
    kind = next((kind for kind in _SUPPORTED if kind in volume), None)
    if kind is None:
        kinds = ", ".join(name for name in volume if name != "name")
        raise MountProblem(f"volume type {kinds} is not supported by the process kubelet")
    if kind == "hostPath":
        if not os.path.exists(volume[kind]["path"]):
            if volume[kind].get("type") != "DirectoryOrCreate":
                raise MountProblem(f"hostPath {volume[kind]['path']} does not exist")
            os.makedirs(volume[kind]["path"])
        return
    place.mkdir(parents=True, exist_ok=True)
    if kind == "emptyDir":
        return
    sources = (volume[kind].get("sources") or []) if kind == "projected" else [volume]
    files: dict[str, bytes] = {}
    try:
        for source in sources:
            files |= _files(pod, source, contents, address)
    except ContentMissing as missing:
        raise MountProblem(str(missing)) from None
    write_atomically(place, files, int(volume[kind].get("defaultMode") or 0o644))


def _files(pod: Object, source: Object, contents: Contents, address: str) -> dict[str, bytes]:
    for kind in ("configMap", "secret"):
        if kind in source:
            values = contents.of_reference(kind, source[kind]) or {}
            return _selected(values, source[kind])
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or ()
        return {
            item["path"]: field_value(
                pod, (item.get("fieldRef") or {}).get("fieldPath", ""), address
            ).encode()
            for item in items
        }
    # service account tokens: pods on this node are not clients of the API
    return {}


def _selected(values: Mapping[str, bytes], source: Object) -> dict[str, bytes]:
    items = source.get("items")
    if not items:
        return dict(values)
    chosen = {}
    for item in items:
        if item["key"] in values:
            chosen[item["path"]] = values[item["key"]]
        elif not source.get("optional"):
            raise ContentMissing(f"references non-existent config key: {item['key']}")
    return chosen


def write_atomically(place: Path, files: Mapping[str, bytes], mode: int) -> bool:
    """Make the folder show exactly these files; False when it does already. Raises MountProblem."""
    for path in files:
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or not parts or parts[0].startswith(".."):
            raise MountProblem(f"invalid path {path!r} in a volume")
    current = place / _DATA
    if current.is_symlink() and _content(current) == dict(files):
        return False
    old = current.resolve() if current.is_symlink() else None
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=place))
    fresh.chmod(0o755)
    for path, value in files.items():
        target = fresh / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(value)
        target.chmod(mode)
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
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
    return True


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mounts_of(pod: Object, container: Object, folder: Path) -> dict[str, str]:
    """Where each mountPath of a container really is."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    result = {}
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"])
        if volume is None:
            continue
        host = volume.get("hostPath")
        place = Path(host["path"]) if host else folder / mount["name"]
        if mount.get("subPath"):
            place = place / mount["subPath"]
        result[mount["mountPath"]] = str(place)
    return result
