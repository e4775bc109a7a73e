"""The `container_*` series, gathered from the kubelets.

Invariant: a kubelet that does not answer in time costs its own series, never the page, which Prometheus waits
for no longer than a second.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import httpx

from maestro_cli.local.metrics.exposition import escaped
from maestro_cli.local.objects import Object, name_of

_SECONDS = 2.0
_WAIT_SECONDS = 0.5  # for an answer; one that takes longer is not asked for again before it came or failed
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")
# what is taken from which page of a kubelet: cAdvisor's and the resource page's names overlap
_PAGES = {"/metrics/cadvisor": ("container_", "machine_"), "/metrics/resource": ("node_",)}


class NodeMetrics:
    """Asks every node's `/metrics/cadvisor` and `/metrics/resource`; thread-safe."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        """`tls` is how the kubelets are trusted, and how they trust us."""
        self._http = httpx.Client(verify=tls, timeout=_SECONDS, trust_env=False)
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="nodes")
        self._lock = threading.Lock()
        self._asked: dict[
            str, tuple[Future[str], float]
        ] = {}  # node → its page, and until when it is waited for

    def text(self, nodes: Iterable[Object]) -> str:
        """One exposition page with a `node` label on every sample of those that answered."""
        pages: dict[str, str] = {}
        for name, (page, until) in self._ask({name_of(node): node for node in nodes}).items():
            wait([page], max(until - time.monotonic(), 0.0))
            if page.done():
                pages[name] = page.result()
        return merged(pages)

    def _ask(self, nodes: dict[str, Object]) -> dict[str, tuple[Future[str], float]]:
        """The pages on their way, of every node; one that is asked already is not asked twice."""
        with self._lock:
            until = time.monotonic() + _WAIT_SECONDS
            asked = {name: self._asked[name] for name in nodes if name in self._asked}
            asked = {name: one for name, one in asked.items() if not one[0].done()}
            for name in nodes.keys() - asked.keys():
                asked[name] = (self._threads.submit(self._fetch, nodes[name]), until)
            self._asked = asked
            return dict(sorted(asked.items()))

    def _fetch(self, node: Object) -> str:
        status = node.get("status") or {}
        port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port")
        addresses = [
            entry["address"] for entry in status.get("addresses") or () if entry.get("type") == "InternalIP"
        ]
        if not port or not addresses:
            return ""
        return "".join(self._page(f"https://{addresses[0]}:{port}", path) for path in _PAGES)

    def _page(self, url: str, path: str) -> str:
        try:
            answer = self._http.get(url + path)
        except httpx.HTTPError:
            return ""
        return kept(answer.text, _PAGES[path]) if answer.status_code == 200 else ""

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._http.close()


def kept(page: str, prefixes: tuple[str, ...]) -> str:
    """The lines of a page about metrics whose names begin so."""
    wanted = tuple(f"{start}{prefix}" for prefix in prefixes for start in ("", "# TYPE "))
    return "".join(f"{line}\n" for line in page.splitlines() if line.startswith(wanted))


def merged(pages: dict[str, str]) -> str:
    """One page from the pages of several nodes, with a `node` label on every sample."""
    families: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for node, page in pages.items():
        for line in page.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                kinds[name] = kind
                continue
            match = _SAMPLE.match(line)
            if match is None or match.group(1) not in kinds:
                continue
            labels = ",".join(part for part in (match.group(2), f'node="{escaped(node)}"') if part)
            sample = f"{match.group(1)}{{{labels}}} {match.group(3)}"
            families.setdefault(match.group(1), []).append(sample)
    return "".join(
        f"# TYPE {name} {kinds[name]}\n" + "\n".join(lines) + "\n" for name, lines in families.items()
    )
