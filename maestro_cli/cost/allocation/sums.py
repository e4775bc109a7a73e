"""Matrices added up by group, and divided where there is something to divide by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maestro_cli.cost.metering.model import Matrix

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Groups:
    """Which group each row belongs to; rows are put in order once, and added up as often as is asked."""

    def __init__(self, codes: NDArray[np.intp], count: int) -> None:
        """`codes` has the group of each row, 0 to `count` - 1."""
        import numpy as np

        self.codes = codes
        self._count = count
        self._order = np.argsort(codes, kind="stable")
        ordered = codes[self._order]
        new = np.ones(len(codes), dtype=bool)
        new[1:] = ordered[1:] != ordered[:-1]
        self._starts = new.nonzero()[0]
        self._found = ordered[self._starts]

    def sums(self, rows: Matrix) -> Matrix:
        """One row a group; zeros for a group without rows."""
        import numpy as np

        sums = np.zeros((self._count, *rows.shape[1:]))
        if len(self._order):
            sums[self._found] = np.add.reduceat(rows[self._order], self._starts, axis=0)
        return sums


def quotient(over: Matrix, under: Matrix) -> Matrix:
    """0 where there is nothing to divide by."""
    import numpy as np

    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)
