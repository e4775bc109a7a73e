"""Ways to break the arithmetic of costs, each with the unit tests that must notice."""

from __future__ import annotations

from tests.mutations.table import Mutation

_SUMS = "unit/cost/allocation/test_sums.py"
_RULES = "unit/cost/allocation/test_allocation_rules.py"

COSTS = (
    Mutation(
        "over-commit is clamped",
        "allocation/charging.py",
        "np.minimum(left, 0.0)",
        "0.0",
        (
            f"{_SUMS}::test_the_rows_of_2000_clusters_add_up_to_their_bills_in_every_grouping",
            f"{_RULES}::test_more_than_a_node_has_is_a_negative_row_and_told",
        ),
        room="cost",
    ),
    Mutation(
        "idle memory falls to who pays for processors",
        "allocation/sharing.py",
        "paid = here.sums(cells[at])",
        "cells = charges.cells[Component.CPU] if resource is Component.MEMORY else cells\n"
        "        paid = here.sums(cells[at])",
        (
            f"{_SUMS}::test_each_cell_is_what_the_definition_says",
            f"{_RULES}::test_idle_memory_falls_to_who_pays_for_memory",
        ),
        room="cost",
    ),
    Mutation(
        "a filter leaves its rest out",
        "allocation/allocate.py",
        "taken = [row for row in range(len(distinct)) if _is_told(row, distinct, cells, amounts)]",
        "taken = [row for row in range(len(distinct)) if _is_told(row, distinct, cells, amounts)"
        " and distinct[row][0] is not RowKind.OTHER]",
        (
            f"{_SUMS}::test_the_rows_of_2000_clusters_add_up_to_their_bills_in_every_grouping",
            f"{_RULES}::test_what_a_filter_leaves_out_is_one_row",
        ),
        room="cost",
    ),
    Mutation(
        "a volume that nobody mounts is nobody's",
        "allocation/charging.py",
        "storage[first + number] = np.where(mounts > 0, 0.0, cost)",
        "pass",
        (
            f"{_SUMS}::test_the_rows_of_2000_clusters_add_up_to_their_bills_in_every_grouping",
            f"{_RULES}::test_a_volume_falls_to_the_pods_that_mount_it_and_is_unallocated_without_one",
        ),
        room="cost",
    ),
)
