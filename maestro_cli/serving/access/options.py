"""The options that say who may call. Invariant: what is parsed never listens to strangers by accident."""

from __future__ import annotations

import argparse
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro_cli.serving.access.permissions import Permission

ANYBODY = frozenset({Permission.PREDICT, Permission.VIEW})


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """`anybody` is what needs no key."""

    keys: Path | None = None
    generate_key: Path | None = None
    anybody: frozenset[Permission] = frozenset()
    tls: TlsOptions | None = None


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """With `client_ca` only clients with a certificate of it are answered."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


class Help(argparse.HelpFormatter):
    """Begins as the help of every other command does."""

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


def add_access(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("access")
    group.add_argument(
        "--keys", type=Path, metavar="FILE",
        help="who may do what (maestro serve keys); followed. With it everything but health asks for a key",
    )  # fmt: skip
    group.add_argument(
        "--generate-key", type=Path, metavar="FILE",
        help="make a key with the role admin that holds for this process, and write it there (mode 0600)",
    )  # fmt: skip
    group.add_argument(
        "--open", action="store_true",
        help="let anybody who reaches the address predict and view; the rest still asks for a key",
    )  # fmt: skip
    group.add_argument(
        "--tls-cert", type=Path, metavar="FILE", help="serve HTTPS with this certificate (PEM)"
    )
    group.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's private key (PEM)")
    group.add_argument(
        "--tls-client-ca", type=Path, metavar="FILE",
        help="answer only clients with a certificate of this authority; --keys says who they are",
    )  # fmt: skip


def read_access(parser: argparse.ArgumentParser, found: argparse.Namespace) -> AccessOptions:
    """Without keys a loopback address lets anybody predict and view; no other address is listened at."""
    is_near = is_loopback(found.host)
    if found.keys is None and not found.open and not is_near:
        parser.error(
            f"{found.host!r} can be reached from elsewhere: name who may call with --keys FILE "
            "(maestro serve keys add FILE), or say --open to let anybody predict and view"
        )
    is_open = found.open or (found.keys is None and is_near)
    anybody = ANYBODY if is_open else frozenset[Permission]()
    return AccessOptions(found.keys, found.generate_key, anybody, _read_tls(parser, found))


def _read_tls(parser: argparse.ArgumentParser, found: argparse.Namespace) -> TlsOptions | None:
    if (found.tls_cert is None) is not (found.tls_key is None):
        parser.error("--tls-cert and --tls-key belong together")
    if found.tls_client_ca is not None and (found.tls_cert is None or found.keys is None):
        parser.error("--tls-client-ca needs --tls-cert and --tls-key, and --keys to say who the clients are")
    if found.tls_cert is None:
        return None
    return TlsOptions(found.tls_cert, found.tls_key, found.tls_client_ca)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it; what is no address but `localhost` counts as reachable."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
