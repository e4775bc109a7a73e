"""Container logs, from the kubelet of the pod's node.

Invariant: what the kubelet sends is passed on as it comes; nothing is kept.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from maestro_cli.local.cluster.http import Answer
from maestro_cli.local.cluster.status import ApiError, Object, bad_request

_PASSED = (
    "follow", "tailLines", "sinceSeconds", "sinceTime", "timestamps", "previous", "limitBytes",
)  # fmt: skip
_CONNECT_SECONDS = 5.0


def _container(pod: Object, asked: str) -> str:
    name = pod["metadata"]["name"]
    fields = ("initContainers", "containers")
    known = [one.get("name", "") for field in fields for one in pod["spec"].get(field, [])]
    if asked and asked not in known:
        raise bad_request(f"container {asked} is not valid for pod {name}")
    if asked:
        return asked
    main = [one.get("name", "") for one in pod["spec"]["containers"]]
    if len(main) != 1:
        listed = " ".join(main)
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{listed}]")
    return str(main[0])


def _address(pod: Object, node: Object | None) -> str:
    name = pod["spec"].get("nodeName", "")
    status = (node or {}).get("status", {})
    port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port")
    addresses = status.get("addresses", [])
    host = next((one.get("address") for one in addresses if one.get("type") == "InternalIP"), None)
    if not port or not host:
        raise ApiError(500, "InternalError", f"no kubelet endpoint is known for node {name!r}")
    return f"https://{host}:{port}"


async def stream_logs(
    pod: Object, node: Object | None, query: Mapping[str, str], tls: ssl.SSLContext
) -> Answer:
    """The log of a container of a pod, followed if asked. Raises ApiError 400, 404, 500, 502."""
    import httpx

    metadata = pod["metadata"]
    container = _container(pod, query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        return Answer(code=204)
    path = "/".join(quote(part, safe="") for part in (metadata["namespace"], metadata["name"], container))
    url = f"{_address(pod, node)}/containerLogs/{path}"
    passed = {name: query[name] for name in _PASSED if name in query}
    client = httpx.AsyncClient(
        verify=tls, trust_env=False, timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS)
    )
    try:
        response = await client.send(client.build_request("GET", url, params=passed), stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        raise ApiError(500, "InternalError", f"Get {url!r}: {error or type(error).__name__}") from error
    if response.status_code != 200:
        told = (await response.aread()).decode("utf-8", "replace").strip()
        await client.aclose()
        reasons = {400: "BadRequest", 404: "NotFound"}
        code = response.status_code
        raise ApiError(code, reasons.get(code, "InternalError"), told or f"the kubelet answered {code}")

    async def chunks() -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        except httpx.HTTPError:
            return  # The kubelet went away: the log ends here.
        finally:
            await response.aclose()
            await client.aclose()

    return Answer(media_type="text/plain", chunks=chunks())
