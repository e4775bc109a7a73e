"""A process stands still between two pieces of work, never within one."""

from __future__ import annotations

import threading

import pytest

from maestro_cli.core.standstill import Standstill
from tests.patience import PATIENCE_SECONDS, wait_for


def test_nothing_stands_still_while_one_is_at_work() -> None:
    process = Standstill()
    with process.at_work(), process.at_work():
        pass
    with process.still(0.0) as is_still:
        assert is_still
    with process.at_work():
        with process.at_work():
            pass
        with process.still(0.0) as is_still:
            assert not is_still


def test_who_is_at_work_ends_it_and_who_comes_later_waits() -> None:
    process, begun, more, order = Standstill(), threading.Event(), threading.Event(), list[str]()

    def first() -> None:
        with process.at_work():
            begun.set()
            more.wait(PATIENCE_SECONDS)
            with process.at_work():  # more of the same, while the stop is waited for
                order.append("first")

    def later() -> None:
        with process.at_work():
            order.append("later")

    threads = [threading.Thread(target=act, daemon=True) for act in (first, later)]
    threads[0].start()
    begun.wait(PATIENCE_SECONDS)
    ends = threading.Timer(0.05, more.set)
    ends.start()
    with process.still(PATIENCE_SECONDS) as is_still:
        assert is_still
        assert order == ["first"]
        threads[1].start()
        threads[1].join(0.05)
        assert order == ["first"]
    wait_for(lambda: order == ["first", "later"], "who came later")


def test_a_stop_that_is_cut_off_while_it_waits_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    standstill = Standstill()

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(standstill._free, "wait_for", interrupted)
        with pytest.raises(KeyboardInterrupt), standstill.still(1.0):
            pass
    done = threading.Event()

    def work() -> None:
        with standstill.at_work():
            done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(PATIENCE_SECONDS)
