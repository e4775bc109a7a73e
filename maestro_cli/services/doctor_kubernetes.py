"""What the doctor says of the real control plane: its binary, the Go that builds it, and what a build left.

Invariant: looks, never builds or removes; none of it is needed before `--cluster kubernetes` is.
"""

from __future__ import annotations

import os
import sys

from maestro_cli.core.errors import MaestroError
from maestro_cli.output.renderers.contexts import Finding

_PATIENCE_SECONDS = 5.0


def control_plane() -> list[Finding]:
    """The binary, Go, and the folders of builds that were killed, if there are any."""
    if sys.platform not in ("linux", "darwin"):
        return []
    return [_binary(), _go(), *_leftovers()]


def _binary() -> Finding:
    from maestro_cli.local.kubernetes.build_cache import BrokenBinary, Patience, cached_binary, named_binary
    from maestro_cli.local.kubernetes.build_target import Module, this_machine

    module, fix, patience = Module(), "maestro local build", Patience(_PATIENCE_SECONDS)
    try:
        binary = named_binary(os.environ, module, patience)
        binary = binary or cached_binary(module, this_machine(), patience)
    except MaestroError as error:
        return Finding("program", "control plane", False, f"{error.what}; {error.why}", error.fix)
    except BrokenBinary as error:
        return Finding("program", "control plane", None, f"broken, and will be built again: {error}", fix)
    if binary is None:
        detail = f"{module.kubernetes} is not built yet; --cluster kubernetes needs it"
        return Finding("program", "control plane", None, detail, fix)
    return Finding("program", "control plane", True, f"{binary.kubernetes} at {binary.path}")


def _go() -> Finding:
    from maestro_cli.local.kubernetes.build_go import find_go
    from maestro_cli.local.kubernetes.build_target import Module

    try:
        go = find_go(os.environ, Module().oldest_go)
    except MaestroError as error:
        return Finding("program", "go", None, f"{error.why}; building the control plane needs it", error.fix)
    return Finding("program", "go", True, f"{go.version} at {go.program}")


def _leftovers() -> list[Finding]:
    from maestro_cli.local.kubernetes.build import abandoned

    return [
        Finding("program", "control plane", None, f"{folder} is left of a build", "maestro local build")
        for folder in abandoned()
    ]
