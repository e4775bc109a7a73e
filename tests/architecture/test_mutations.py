"""Every mutation of the light cluster can be applied, and the tests it names are there."""

from __future__ import annotations

import pytest

from tests.mutations.__main__ import EVERY, ROOT, placed
from tests.mutations.table import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", EVERY, ids=lambda mutation: mutation.name)
def test_what_it_replaces_stands_exactly_once(mutation: Mutation) -> None:
    source = (ROOT / "maestro_cli" / mutation.room / mutation.file).read_text(encoding="utf-8")
    assert source.count(mutation.old) == 1
    assert mutation.new != mutation.old


@pytest.mark.parametrize("mutation", EVERY, ids=lambda mutation: mutation.name)
def test_the_tests_it_names_exist(mutation: Mutation) -> None:
    assert mutation.tests
    for test in mutation.tests:
        file, _, name = placed(test).partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_there_are_enough_of_them_and_each_is_another() -> None:
    assert len(MUTATIONS) >= 10
    assert len({(mutation.file, mutation.old) for mutation in EVERY}) == len(EVERY)
