"""The faults that Chaos Mesh can put in, by name: which kind, and what of its spec parameters say.

Invariant: whom it meets and for how long is not said here; a test holds every recipe to the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro_cli.changes.kinds.kind import Option, share_of_one, whole_number, words

Parameters = Mapping[str, Any]
_NEEDED = True


@dataclass(frozen=True, slots=True)
class Recipe:
    """`spec` makes the part of a spec that says what is done; `ends`: every pod that it meets ends.

    `sample` are parameters as people write them, for examples and tests.
    """

    name: str
    kind: str
    summary: str
    options: Mapping[str, Option]
    spec: Callable[[Parameters], dict[str, Any]]
    sample: Mapping[str, str]
    ends: bool = False


def _percent(share: float) -> str:
    return f"{share * 100:g}"


def _milliseconds(number: int) -> str:
    return f"{number}ms"


def _some(**parts: Any) -> dict[str, Any]:
    """The parts that were given."""
    return {key: value for key, value in parts.items() if value not in (None, "", (), [])}


def _list(value: Sequence[str] | None) -> list[str]:
    return list(value or ())


def _delay(said: Parameters) -> dict[str, Any]:
    jitter = said.get("jitter")
    delay = _some(
        latency=_milliseconds(said["milliseconds"]), jitter=_milliseconds(jitter) if jitter else None
    )
    return {"action": "delay", "delay": delay, **_some(externalTargets=_list(said.get("hosts")))}


def _lossy(action: str) -> Callable[[Parameters], dict[str, Any]]:
    def spec(said: Parameters) -> dict[str, Any]:
        hosts = _some(externalTargets=_list(said.get("hosts")))
        return {"action": action, action: {action: _percent(said["share"])}, **hosts}

    return spec


def _partition(said: Parameters) -> dict[str, Any]:
    return {"action": "partition", "direction": "to", "externalTargets": _list(said["hosts"])}


def _bandwidth(said: Parameters) -> dict[str, Any]:
    size = int(said.get("buffer", 10_000))
    return {"action": "bandwidth", "bandwidth": {"rate": said["rate"], "limit": size, "buffer": size}}


def _cpu(said: Parameters) -> dict[str, Any]:
    load = round(said.get("load", 1.0) * 100)
    return {"stressors": {"cpu": {"workers": said.get("workers", 1), "load": load}}}


def _memory(said: Parameters) -> dict[str, Any]:
    return {"stressors": {"memory": {"workers": said.get("workers", 1), "size": said["size"]}}}


def _io(action: str) -> Callable[[Parameters], dict[str, Any]]:
    def spec(said: Parameters) -> dict[str, Any]:
        what = (
            {"delay": _milliseconds(said["milliseconds"])}
            if action == "latency"
            else {"errno": said["errno"]}
        )
        where = _some(path=said.get("path"), methods=_list(said.get("methods")))
        percent = round(said.get("share", 1.0) * 100)
        return {"action": action, "volumePath": said["volume"], "percent": percent, **what, **where}

    return spec


def _dns(action: str) -> Callable[[Parameters], dict[str, Any]]:
    return lambda said: {"action": action, "patterns": _list(said["patterns"])}


def _http(target: str, act: Callable[[Parameters], dict[str, Any]]) -> Callable[[Parameters], dict[str, Any]]:
    def spec(said: Parameters) -> dict[str, Any]:
        where = _some(path=said.get("path", "*"), method=said.get("method"))
        return {"target": target, "port": said["port"], **where, **act(said)}

    return spec


_HOSTS = {"hosts": Option(words)}
_SHARE = {"share": Option(share_of_one, _NEEDED)}
_FILES = {
    "volume": Option(str, _NEEDED),
    "path": Option(str),
    "methods": Option(words),
    "share": Option(share_of_one),
}
_CALLS = {"port": Option(whole_number, _NEEDED), "path": Option(str), "method": Option(str)}
_WAIT = {"milliseconds": Option(whole_number, _NEEDED)}

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "mesh-pod-kill", "PodChaos", "pods end, by Chaos Mesh", {"grace": Option(whole_number)},
        lambda said: {"action": "pod-kill", "gracePeriod": said.get("grace", 0)}, {}, ends=True,
    ),
    Recipe(
        "mesh-pod-failure", "PodChaos", "pods are there and do nothing", {},
        lambda said: {"action": "pod-failure"}, {}, ends=True,
    ),
    Recipe(
        "mesh-container-kill", "PodChaos", "containers of pods end", {"containers": Option(words, _NEEDED)},
        lambda said: {"action": "container-kill", "containerNames": _list(said["containers"])},
        {"containers": "server"}, ends=True,
    ),
    Recipe(
        "mesh-network-delay", "NetworkChaos", "what pods send waits, to `hosts` or to all",
        {**_WAIT, "jitter": Option(whole_number), **_HOSTS}, _delay, {"milliseconds": "100", "jitter": "20"},
    ),
    Recipe(
        "mesh-network-loss", "NetworkChaos", "a share of what pods send is lost", {**_SHARE, **_HOSTS},
        _lossy("loss"), {"share": "25%"},
    ),
    Recipe(
        "mesh-network-duplicate", "NetworkChaos", "a share of what pods send is sent twice",
        {**_SHARE, **_HOSTS}, _lossy("duplicate"), {"share": "10%"},
    ),
    Recipe(
        "mesh-network-corrupt", "NetworkChaos", "a share of what pods send is corrupted",
        {**_SHARE, **_HOSTS}, _lossy("corrupt"), {"share": "5%"},
    ),
    Recipe(
        "mesh-network-partition", "NetworkChaos", "pods do not reach `hosts`",
        {"hosts": Option(words, _NEEDED)}, _partition, {"hosts": "features.example.com"},
    ),
    Recipe(
        "mesh-network-bandwidth", "NetworkChaos", "pods send no faster than `rate`",
        {"rate": Option(str, _NEEDED), "buffer": Option(whole_number)}, _bandwidth, {"rate": "1mbps"},
    ),
    Recipe(
        "mesh-stress-cpu", "StressChaos", "something else in the container needs its processor",
        {"workers": Option(whole_number), "load": Option(share_of_one)}, _cpu,
        {"workers": "2", "load": "80%"},
    ),
    Recipe(
        "mesh-stress-memory", "StressChaos", "something else in the container needs its memory",
        {"size": Option(str, _NEEDED), "workers": Option(whole_number)}, _memory, {"size": "256MB"},
    ),
    Recipe(
        "mesh-io-latency", "IOChaos", "what pods read and write in `volume` waits", {**_FILES, **_WAIT},
        _io("latency"), {"volume": "/models", "milliseconds": "200", "methods": "READ"},
    ),
    Recipe(
        "mesh-io-fault", "IOChaos", "what pods read and write in `volume` fails with `errno`",
        {**_FILES, "errno": Option(whole_number, _NEEDED)}, _io("fault"),
        {"volume": "/models", "errno": "5", "share": "50%"},
    ),
    Recipe(
        "mesh-dns-error", "DNSChaos", "names like `patterns` do not resolve in pods",
        {"patterns": Option(words, _NEEDED)}, _dns("error"), {"patterns": "features.example.*"},
    ),
    Recipe(
        "mesh-dns-random", "DNSChaos", "names like `patterns` resolve to anything in pods",
        {"patterns": Option(words, _NEEDED)}, _dns("random"), {"patterns": "features.example.*"},
    ),
    Recipe(
        "mesh-http-delay", "HTTPChaos", "requests to pods wait", {**_CALLS, **_WAIT},
        _http("Request", lambda said: {"delay": _milliseconds(said["milliseconds"])}),
        {"port": "8080", "path": "/v2/models/*", "milliseconds": "300"},
    ),
    Recipe(
        "mesh-http-abort", "HTTPChaos", "requests to pods are cut off", _CALLS,
        _http("Request", lambda said: {"abort": True}), {"port": "8080", "method": "POST"},
    ),
    Recipe(
        "mesh-http-status", "HTTPChaos", "pods answer with `code`",
        {**_CALLS, "code": Option(whole_number, _NEEDED)},
        _http("Response", lambda said: {"replace": {"code": said["code"]}}), {"port": "8080", "code": "503"},
    ),
    Recipe(
        "mesh-time-skew", "TimeChaos", "the clock of pods is `offset` away", {"offset": Option(str, _NEEDED)},
        lambda said: {"timeOffset": said["offset"]}, {"offset": "-10m"},
    ),
)  # fmt: skip
