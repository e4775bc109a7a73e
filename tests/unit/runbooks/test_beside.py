"""Work that is done at the same time."""

from __future__ import annotations

import pytest

from maestro_cli.runbooks.beside import beside


@pytest.mark.parametrize("at_most", [1, 2])
def test_what_goes_wrong_with_looking_at_a_result_is_raised_to_who_waits(at_most: int) -> None:
    def is_over(result: int) -> bool:
        raise ValueError(f"about {result}")

    with pytest.raises(ValueError, match="about 0"):
        beside([lambda: 0, lambda: 0, lambda: 0], at_most, is_over)
