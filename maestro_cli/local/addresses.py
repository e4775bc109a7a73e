"""Where pods are said to be, and where they really listen.

Invariant: reported 10.244.n.m and listening 127.244.n.m belong together. The real API refuses
loopback addresses in endpoints, so pods are reported under another name, and so is the machine itself, at
which the load balancers of all its platforms listen: nodes count from 1, and no pod gets its address.
"""

from __future__ import annotations

REPORTED, _LISTENING = "10.244.", "127.244."
MACHINE, _LOOPBACK = "10.244.0.1", "127.0.0.1"


def listening_address(pod_ip: str) -> str:
    """Where a pod reported at `pod_ip` really listens; any other address is what it is."""
    if pod_ip == MACHINE:
        return _LOOPBACK
    return _LISTENING + pod_ip.removeprefix(REPORTED) if pod_ip.startswith(REPORTED) else pod_ip
