"""`python -m tests.mutations [WORD …]`: break the light cluster, what makes incidents, and who pays what, and
see that the suite notices.

Each mutation is applied to a copy of the checkout; the tests that it names must fail there, and must pass
on an unbroken copy. With words, only the mutations whose name has one of them. The exit code is 0 when
every mutation was noticed, 1 when one was not or the tests fail unbroken.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutations.costs import COSTS
from tests.mutations.intake import INTAKE
from tests.mutations.table import MUTATIONS, Mutation

ROOT = Path(__file__).resolve().parents[2]
SUITE = "tests/contract/cluster"
COPIED = ("maestro_cli", "tests", "pyproject.toml")
LIMIT_SECONDS = 1800
EVERY = (*MUTATIONS, *INTAKE, *COSTS)


def placed(test: str) -> str:
    """The test as pytest knows it, from the root of the checkout."""
    return f"tests/{test}" if "/" in test.partition("::")[0] else f"{SUITE}/{test}"


def copy_checkout(target: Path) -> None:
    """What the tests need, without caches."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target / name)


def mutate(target: Path, mutation: Mutation) -> None:
    """Apply it in the copy. Raises ValueError when `old` is not there exactly once."""
    path = target / "maestro_cli" / mutation.room / mutation.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        raise ValueError(
            f"{mutation.name}: {mutation.old!r} is {text.count(mutation.old)} times in {path.name}"
        )
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of tests came to: pytest's exit code, the tests that failed, what was printed."""

    code: int
    failed: frozenset[str]
    told: str


def run_tests(checkout: Path, tests: Iterable[str]) -> Run:
    """Run these tests on the light cluster of a checkout."""
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=line", "-p", "no:cacheprovider"]
    command += ["-k", "not kubernetes", f"--basetemp={checkout / 'temporary'}"]
    command += sorted(placed(test) for test in tests)
    done = subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    told = done.stdout + done.stderr
    # an error in a fixture is no failure of the test: it would say nothing about what the test holds
    found = re.findall(r"^FAILED ([^\[\s]+)", told, re.MULTILINE)
    return Run(done.returncode, frozenset(found), told)


def chosen(words: Sequence[str]) -> list[Mutation]:
    return [one for one in EVERY if not words or any(word in one.name for word in words)]


def run_mutated(mutation: Mutation | None, tests: Iterable[str]) -> Run:
    """Run the tests in a copy of the checkout, broken by the mutation or not at all."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        checkout = Path(folder)
        copy_checkout(checkout)
        if mutation is not None:
            mutate(checkout, mutation)
        return run_tests(checkout, tests)


def main(words: Sequence[str]) -> int:
    started = time.monotonic()
    mutations = chosen(words)
    unbroken = run_mutated(None, {test for mutation in mutations for test in mutation.tests})
    sys.stdout.write(f"{'FAILS ' if unbroken.code else 'passes'}   unbroken\n")
    if unbroken.code:
        sys.stdout.write(unbroken.told[-5000:])
        return 1
    missed = 0
    for mutation in mutations:
        run = run_mutated(mutation, mutation.tests)
        noticed = {placed(test) for test in mutation.tests} <= run.failed
        missed += not noticed
        sys.stdout.write(f"{'noticed' if noticed else 'MISSED '}  {mutation.name}\n")
        if not noticed:
            sys.stdout.write(run.told[-2000:])
        sys.stdout.flush()
    took = time.monotonic() - started
    sys.stdout.write(f"{len(mutations) - missed} of {len(mutations)} mutations noticed in {took:.0f} s\n")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
