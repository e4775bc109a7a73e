"""Which binary of the real control plane the tests marked `kubernetes` run, and whether they run at all.

`--kubernetes=auto` (default): they run when MAESTRO_KUBERNETES_BINARY or the cache of `maestro local build`
has it; else one line at the end says that they did not. `off`: the same line, whatever is there. `only`:
nothing else runs, and it is an error when there is no binary.

Where tests are shared among workers (`-n`), each of them chooses alike, and the one who prints learns of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import pytest

from maestro_cli.core.errors import MaestroError
from maestro_cli.local.kubernetes.build_cache import VARIABLE, BrokenBinary, cached_binary, named_binary
from maestro_cli.local.kubernetes.build_target import Module, this_machine

MARKER = "kubernetes"
HOW = "`make test-kubernetes` builds it once (about ten minutes) and runs them"
_binary = pytest.StashKey[str]()
_left_out = pytest.StashKey[str]()
_TOLD = "kubernetes_left_out"


def add_option(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kubernetes",
        choices=("auto", "off", "only"),
        default="auto",
        help="the tests on the real control plane: auto, off, only",
    )


def check(config: pytest.Config) -> None:
    """End before any worker starts, where `choose` in each of them would end in an error.

    Raises pytest.UsageError.
    """
    shared = config.getoption("numprocesses", None)  # a worker has none, nor has who knows no xdist
    if shared and config.getoption("--kubernetes") != "off":
        path, reason = find()
        if not path and config.getoption("--kubernetes") == "only":
            raise _nothing_to_test_on(reason)


def choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what does not run; what runs finds the binary in MAESTRO_KUBERNETES_BINARY.

    Called before any test, for it looks into the developer's own cache.
    """
    mode = config.getoption("--kubernetes")
    marked = [item for item in items if item.get_closest_marker(MARKER)]
    rest = [item for item in items if not item.get_closest_marker(MARKER)]
    path, reason = ("", "turned off") if mode == "off" or not marked else find()
    if path:
        config.stash[_binary] = path
    if mode == "only":
        if not path:
            raise _nothing_to_test_on(reason or "no test is marked")
        _leave_out(config, items, kept=marked, out=rest)
    elif marked and not path:
        config.stash[_left_out] = (
            f"{len(marked)} tests on the real control plane did not run ({reason}): {HOW}"
        )
        _leave_out(config, items, kept=rest, out=marked)


def find() -> tuple[str, str]:
    """The binary, or why there is none. Raises pytest.UsageError when the variable names a wrong one."""
    module = Module()
    try:
        found = named_binary(os.environ, module) or cached_binary(module, this_machine())
    except MaestroError as error:
        raise pytest.UsageError(f"{error.what}: {error.why}; {error.fix}") from None
    except BrokenBinary as error:
        return "", f"the one in the cache is broken: {error}"
    return (str(found.path), "") if found else ("", f"{module.kubernetes} is not built")


def lend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variable for a marked test, and hide it from all others."""
    path = request.config.stash.get(_binary, "")
    if path and request.node.get_closest_marker(MARKER):
        monkeypatch.setenv(VARIABLE, path)
    else:
        monkeypatch.delenv(VARIABLE, raising=False)


def binary_of(config: pytest.Config) -> str:
    """For a fixture of marked tests that outlives one test."""
    return config.stash[_binary]


def summary(config: pytest.Config) -> Sequence[str]:
    """What is to be said at the end."""
    line = config.stash.get(_left_out, "")
    return [line] if line else []


def tell(config: pytest.Config) -> None:
    """A worker that ends tells what it left out; nobody else has to."""
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[_TOLD] = config.stash.get(_left_out, "")


def hear(config: pytest.Config, output: Mapping[str, str]) -> None:
    """Keep what a worker told at its end; one that died told nothing."""
    if output.get(_TOLD):
        config.stash[_left_out] = output[_TOLD]


def _nothing_to_test_on(reason: str) -> pytest.UsageError:
    return pytest.UsageError(f"no real control plane to test on: {reason}; {HOW}")


def _leave_out(
    config: pytest.Config, items: list[pytest.Item], *, kept: list[pytest.Item], out: list[pytest.Item]
) -> None:
    items[:] = kept
    config.hook.pytest_deselected(items=out)
