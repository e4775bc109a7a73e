"""Identifiers differ, within a process and between two."""

from __future__ import annotations

import subprocess
import sys

from maestro_cli.serving.chance import random_hex


def test_an_id_has_two_digits_a_byte_and_none_comes_twice() -> None:
    made = [random_hex(8) for _ in range(10_000)]
    assert {len(one) for one in made} == {16}
    assert len(set(made)) == len(made)


def test_two_processes_do_not_begin_alike() -> None:
    program = "from maestro_cli.serving.chance import random_hex; print(random_hex(16))"
    made = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(made) == 2
