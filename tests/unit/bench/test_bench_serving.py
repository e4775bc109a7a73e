"""The arithmetic of the model server's bench: percentiles, the search for a rate, pairs, verdicts."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_cli.local.load.traffic import Arrival
from tests.bench.serving import parts
from tests.bench.serving.distribution import Effect, effect, is_within_noise, noise, percentile
from tests.bench.serving.load import Outcome, Target
from tests.bench.serving.parts import PAIRS, SAME, Difference
from tests.bench.serving.rounds import Lap, _figures
from tests.bench.serving.search import highest
from tests.bench.serving.traffic import Expected

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)
DIFFERENCES = st.lists(st.floats(-100, 100), min_size=2, max_size=20)


@given(VALUES, st.floats(0.001, 1))
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_nothing_has_no_percentiles() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)
    assert Outcome(3).at(0.99) == float("inf")


@given(st.floats(1, 1e5), st.floats(0.05, 20))
def test_the_rate_found_is_held_and_one_a_little_above_it_is_not(limit: float, error: float) -> None:
    asked: list[float] = []

    def holds(rate: float) -> bool:
        asked.append(rate)
        return rate <= limit

    found = highest(holds, limit * error, resolution=1.04)
    assert found <= limit < found * 1.04
    assert found in asked
    assert len(asked) < 20  # a probe takes seconds


def test_who_holds_nothing_has_no_rate() -> None:
    assert highest(lambda rate: False, 100) == 0


@settings(max_examples=20)  # each resamples some thousand times
@given(DIFFERENCES)
def test_an_interval_holds_its_median_and_is_narrower_for_less_certainty(differences: list[float]) -> None:
    wide, narrow = effect(differences, share=0.99), effect(differences, share=0.5)
    assert wide.median == statistics.median(differences)
    assert min(differences) <= wide.low <= narrow.low <= narrow.high <= wide.high <= max(differences)
    assert noise(differences) == max(abs(wide.low), abs(wide.high))


def test_more_pairs_make_an_interval_narrower() -> None:
    few = effect([0.0, 1.0] * 3)
    many = effect([0.0, 0.4, 0.6, 1.0] * 40)
    assert many.high - many.low < few.high - few.low


def test_an_interval_is_that_of_the_median_of_so_many() -> None:
    """Of 21 values the 95 % interval of the median goes from the sixth to the sixteenth (binomial)."""
    found = effect([float(value) for value in range(1, 22)])
    assert found.low == pytest.approx(6, abs=1)
    assert found.high == pytest.approx(16, abs=1)


def test_one_pair_is_none() -> None:
    with pytest.raises(ValueError, match="two pairs"):
        effect([1.0])


@pytest.mark.parametrize(
    ("seen", "inside"),
    [
        (Effect(0.5, 0.3, 0.9, 9), True),
        (Effect(0.51, -0.1, 0.9, 9), False),
        (Effect(-3.0, -4.0, -2.0, 9), True),
    ],
)
def test_an_effect_is_seen_when_its_median_is_above_noise(seen: Effect, inside: bool) -> None:
    assert is_within_noise(seen, 0.5) is inside


RIGHT = Expected(({"score": (0.5, 0.25), "flagged": (1.0,)},))


def answer(**outputs: list[float]) -> bytes:
    return json.dumps({"outputs": [{"name": name, "data": data} for name, data in outputs.items()]}).encode()


@pytest.mark.parametrize(
    ("given_answer", "fault"),
    [
        (answer(score=[0.5, 0.250009], flagged=[1]), ""),
        (answer(flagged=[1], score=[0.5, 0.25]), ""),
        (answer(score=[0.5, 0.250011], flagged=[1]), "score is wrong"),
        (answer(score=[0.25, 0.5], flagged=[1]), "score is wrong"),
        (answer(score=[0.5, 0.25], flagged=[0]), "flagged is wrong"),
        (answer(score=[0.5], flagged=[1]), "score has 1 values"),
        (answer(score=[0.5, 0.25]), "outputs are ['score']"),
        (answer(score=[0.5, float("nan")], flagged=[1]), "the answer is not an inference response"),
        (b'{"error": "no"}', "the answer is not an inference response"),
    ],
)
def test_an_answer_is_right_to_the_fifth_digit_or_it_is_a_fault(given_answer: bytes, fault: str) -> None:
    assert RIGHT.fault(0, given_answer) == fault


def lap(rate: float, p99: float, megabytes: float = 80.0, failures: int = 0) -> Lap:
    outcome = Outcome(100, latencies=[p99 * 0.6 + 0.001] * (90 - failures) + [p99] * 10)
    outcome.failures["wrong"] += failures
    return Lap(1.0, (megabytes, megabytes), (megabytes, megabytes), outcome, rate, 0.1)


@pytest.mark.parametrize(
    ("own", "missed"),
    [
        (lap(2000, 0.005), set()),
        (lap(1900, 0.005), {"seconds a request at full rate, of MLServer's"}),
        (lap(2000, 0.0051), {"p99 at 700/s, of MLServer's"}),
        (
            lap(1400, 0.011, 101, 1),
            {
                "seconds a request at full rate, of MLServer's",
                "seconds a request at full rate, of FastAPI's",
                "p99 at 700/s, of MLServer's",
                "p99 at 700/s, of FastAPI's",
                "memory after the load",
                "failures and wrong answers at 700/s, of all three",
            },
        ),
    ],
)
def test_each_budget_is_missed_by_who_deserves_it(own: Lap, missed: set[str]) -> None:
    rounds = [{"maestro": own, "MLServer": lap(1000, 0.010, 170), "FastAPI": lap(1500, 0.010, 100)}] * 3
    figures = _figures(rounds, 700, {})
    assert {figure.name for figure in figures if not figure.met} == missed
    assert sum(figure.limit is not None for figure in figures) == 6


def test_a_shadow_is_judged_by_what_the_same_twice_differs_by() -> None:
    same = [Difference(0.0, value) for value in (-1.0, 1.0, -0.5, 0.5)]
    seen, unseen = [Difference(0.0, 2.0)] * 4, [Difference(5.0, 0.2)] * 4
    figures = parts._figures({SAME: same, "a shadow that sleeps": seen, "a shadow that raises": unseen}, 700)
    judged = {figure.notes["part"]: figure.met for figure in figures if figure.limit is not None}
    assert judged == {
        one.notes["part"]: one.notes["within_noise"] for one in figures if one.limit is not None
    }
    assert judged == {"a shadow that sleeps": False, "a shadow that raises": True}


def test_a_difference_is_what_the_second_has_more() -> None:
    found = parts._difference(Outcome(2, [0.001, 0.003]), Outcome(2, [0.002, 0.007]))
    assert found.p50 == pytest.approx(1.0)
    assert found.p99 == pytest.approx(4.0)


def test_every_pair_is_of_servers_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    names = [subject.name for subject in parts._subjects(tmp_path, "http://127.0.0.1:1")]
    assert {name for pair in PAIRS for name in (pair.without, pair.with_it)} == set(names)
    assert len(names) == len(set(names))


def test_the_metrics_page_is_asked_for_each_second_and_must_have_exemplars() -> None:
    plan = [Arrival(place / 10, 0) for place in range(25)]
    target, merged = parts._scraped(Target(1, (b"a",), lambda number, answer: "bad"), plan)
    pages = [one.offset_seconds for one in merged if one.body == 1]
    assert pages == [0.5, 1.5]
    assert target.requests[1].startswith(b"GET /metrics ")
    assert [one for one in merged if one.body == 0] == plan
    assert target.check(0, b"") == "bad"
    assert target.check(1, b'a{trace_id="1"}\n# EOF\n') == ""
    assert target.check(1, b"a\n# EOF\n") == "no exemplars on the page"
