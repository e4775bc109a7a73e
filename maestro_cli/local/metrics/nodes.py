"""The `container_*` series, gathered from the kubelets.

Invariant: a kubelet that does not answer in time costs its own series, never the page.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx

from maestro_cli.local.metrics.exposition import escaped
from maestro_cli.local.objects import Object, name_of

_SECONDS = 2.0
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$")
# what is taken from which page of a kubelet: cAdvisor's and the resource page's names overlap
_PAGES = {"/metrics/cadvisor": ("container_", "machine_"), "/metrics/resource": ("node_",)}


class NodeMetrics:
    """Asks every node's `/metrics/cadvisor` and `/metrics/resource`; thread-safe."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        """`tls` is how the kubelets are trusted, and how they trust us."""
        self._http = httpx.Client(verify=tls, timeout=_SECONDS, trust_env=False)
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="nodes")

    def text(self, nodes: Iterable[Object]) -> str:
        """One exposition page with a `node` label on every sample."""
        listed = list(nodes)
        pages = self._threads.map(self._fetch, listed)
        return merged({name_of(node): page for node, page in zip(listed, pages, strict=True)})

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
