"""The arithmetic of rolling updates: Kubernetes' own examples, and its bounds under any behaviour of pods."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.local.controllers.rollout import (
    Share,
    fenceposts,
    grown_new,
    int_or_percent,
    is_complete,
    proportional,
    shrunk_old,
)


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        ("25%", "25%", 3, (1, 0)),
        ("25%", "25%", 10, (3, 2)),
        ("0%", "0%", 4, (0, 1)),
        (0, 0, 4, (0, 1)),
        (0, 10, 3, (0, 3)),
        ("100%", "0%", 5, (5, 0)),
        ("7%", "0%", 100, (7, 0)),
    ],
)
def test_fenceposts(
    surge: int | str, unavailable: int | str, replicas: int, expected: tuple[int, int]
) -> None:
    assert fenceposts(surge, unavailable, replicas) == expected


def test_what_is_neither_number_nor_percentage_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        int_or_percent("3", 10, round_up=True)


@pytest.mark.parametrize(
    ("new", "everything", "replicas", "surge", "expected"),
    [(0, 10, 10, 2, 2), (0, 12, 10, 2, 0), (8, 10, 10, 5, 10), (12, 12, 10, 0, 10), (0, 0, 3, 1, 3)],
)
def test_growth_fits_under_replicas_and_surge(
    new: int, everything: int, replicas: int, surge: int, expected: int
) -> None:
    assert grown_new(new, everything, replicas, surge) == expected


def test_unhealthy_old_pods_go_first_oldest_first() -> None:
    old = [Share("b", 5, available=5, age=1), Share("a", 5, available=2, age=0)]
    assert shrunk_old(old, Share("new", 0), 10, 2) == {"a": 3}
    assert shrunk_old(old, Share("new", 2, available=2), 10, 2) == {"a": 1}, "3 unhealthy and 1 to spare"


def test_nothing_old_goes_while_new_pods_are_not_available() -> None:
    old = [Share("a", 3, available=3)]
    assert shrunk_old(old, Share("new", 1, available=0), 3, 0) == {}
    assert shrunk_old(old, Share("new", 1, available=1), 3, 0) == {"a": 2}


@pytest.mark.parametrize(
    ("sizes", "replicas", "surge", "maximum", "expected"),
    [
        # kubernetes pkg/controller/deployment/deployment_controller sync_test.go TestScale
        ((10, 0), 12, 0, 10, {"new": 12}),
        ((5, 5), 12, 0, 10, {"new": 6, "old0": 6}),
        ((5, 5), 6, 0, 10, {"new": 3, "old0": 3}),
        ((4, 2), 8, 2, 6, {"old0": 3, "new": 7}),
    ],
)
def test_proportional_scaling(
    sizes: tuple[int, int], replicas: int, surge: int, maximum: int, expected: dict[str, int]
) -> None:
    shares = [
        Share("old0", sizes[1], age=0, max_replicas=maximum),
        Share("new", sizes[0], age=1, max_replicas=maximum),
    ]
    assert proportional(shares, replicas, surge, maximum) == expected


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=5), st.integers(0, 40), st.integers(0, 10), st.data()
)
def test_proportional_scaling_adds_up_and_is_never_negative(
    sizes: list[int], replicas: int, surge: int, data: st.DataObject
) -> None:
    maximum = data.draw(st.integers(1, 60))
    shares = [Share(f"rs{age}", size, age=age, max_replicas=maximum) for age, size in enumerate(sizes)]
    wanted = proportional(shares, replicas, surge, maximum)
    assert all(size >= 0 for size in wanted.values())
    if any(sizes):
        target = replicas + surge if replicas else 0
        # a share is rounded towards the difference, so only the remainder's floor at 0 can leave more
        assert sum(wanted.values()) >= target
        assert replicas == 0 or sum(wanted.values()) == target or min(wanted.values()) == 0


class Model:
    """A Deployment in the middle of a rollout; `available` pods are the oldest of each set."""

    def __init__(self, replicas: int, surge: int, unavailable: int, old: list[int]) -> None:
        self.replicas, self.surge, self.unavailable = replicas, surge, unavailable
        self.old = [Share(f"old{age}", size, available=size, age=age) for age, size in enumerate(old)]
        self.new = Share("new", 0, age=len(old))

    @property
    def wanted(self) -> int:
        return sum(share.wanted for share in self.old) + self.new.wanted

    @property
    def available(self) -> int:
        return sum(share.available for share in self.old) + self.new.available

    def step(self) -> bool:
        """One look of the controller; unready pods are deleted first. False when nothing changed."""
        grown = grown_new(self.new.wanted, self.wanted, self.replicas, self.surge)
        if grown != self.new.wanted:
            self.new = _resized(self.new, grown)
            return True
        sizes = shrunk_old(self.old, self.new, self.replicas, self.unavailable)
        self.old = [_resized(share, sizes.get(share.name, share.wanted)) for share in self.old]
        return bool(sizes)


def _resized(share: Share, wanted: int) -> Share:
    return Share(share.name, wanted, min(share.available, wanted), share.age)


@given(st.integers(1, 12), st.integers(0, 6), st.integers(0, 6), st.data())
def test_a_rollout_stays_between_its_bounds_and_ends(
    replicas: int, surge: int, unavailable: int, data: st.DataObject
) -> None:
    surge, unavailable = fenceposts(surge, unavailable, replicas)
    first = data.draw(st.integers(0, replicas))
    model = Model(replicas, surge, unavailable, [first, replicas - first])
    for _ in range(20 * replicas + 20):
        moved = model.step()
        assert model.wanted <= replicas + surge
        assert model.available >= replicas - unavailable
        waiting = model.new.wanted - model.new.available
        ready = data.draw(st.integers(0, waiting)) if moved else waiting  # at the latest when all rests
        model.new = Share("new", model.new.wanted, model.new.available + ready, model.new.age)
        if not moved and not waiting:
            break
    assert model.new.wanted == model.new.available == replicas
    assert all(share.wanted == 0 for share in model.old)


@given(st.integers(1, 12), st.integers(0, 4), st.integers(0, 4))
def test_a_rollout_whose_pods_never_start_gets_stuck_with_enough_old_ones(
    replicas: int, surge: int, unavailable: int
) -> None:
    surge, unavailable = fenceposts(surge, unavailable, replicas)
    model = Model(replicas, surge, unavailable, [replicas])
    for _ in range(4 * replicas + 8):
        model.step()
        assert model.wanted <= replicas + surge
        assert model.available >= replicas - unavailable
    assert not model.step()
    assert model.new.wanted > 0


@pytest.mark.parametrize(
    ("counts", "observed", "over"),
    [((3, 3, 3, 3), True, True), ((3, 3, 4, 3), True, False), ((3, 3, 3, 3), False, False),
     ((3, 2, 3, 3), True, False), ((3, 3, 3, 2), True, False)],
)  # fmt: skip
def test_completeness(counts: tuple[int, int, int, int], observed: bool, over: bool) -> None:
    assert is_complete(*counts, observed=observed) is over
