"""Reading Kubernetes objects."""

from __future__ import annotations

import pytest

from maestro_cli.local.objects import requirement_holds


@pytest.mark.parametrize(
    ("operator", "value", "values", "holds"),
    [
        ("Gt", "4", ["3"], True),
        ("Gt", "3", ["3"], False),
        ("Lt", "-4", ["3"], True),
        ("Lt", "3", ["3"], False),
        ("Gt", "many", ["3"], False),
        ("Lt", "many", ["3"], False),
        ("Gt", "4", ["few"], False),
        ("Lt", "4", ["9" * 5000], False),
        ("Lt", "²", ["3"], False),
        ("Gt", "4", [], False),
        ("Lt", None, ["3"], False),
    ],
)
def test_what_is_no_number_is_neither_greater_nor_less(
    operator: str, value: str | None, values: list[str], holds: bool
) -> None:
    labels = {} if value is None else {"size": value}
    requirement = {"key": "size", "operator": operator, "values": values}
    assert requirement_holds(requirement, labels) is holds
