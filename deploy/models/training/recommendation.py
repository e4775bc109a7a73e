"""`recommendation`: which way to travel to offer a traveller first. Versions 1 to 3, and their traffic.

Data: 210 trips of private travellers between Sydney, Canberra and Melbourne in 1987, each with the four ways
to travel that were open (air, train, bus, car), what each would have cost in money and time, and the one
that was taken. W. H. Greene and D. Hensher, table F18-2 of Greene's Econometric Analysis; the copy read here
ships in the PyPI package statsmodels 0.15.0, which declares it public domain. Nothing in it is synthetic.
The sample was drawn by choice: more air, train and bus, fewer cars than there were. Scores rank the offers
of one traveller; as shares of a market they would be wrong.

One row of a request is one traveller and any number of offers; the answer has a score for each offer, which
sum to 1, and the positions of the offers, best first. The model is a logit over pairs (the offer taken
against each that was not) and has 16 weights: one for each property of an offer, and for each way a constant,
one with income and one with the size of the party. The score is the softmax, over the offers of a traveller,
of `offers · W · (1, traveller)`.

Version 2 is a bad release, for people who read this: how many travel together is looked up in a table, with
one row a size of party, that was made from a newer extract with parties of one and two alone, as the new
form offers them. Larger parties still come in, so the Gather of their row goes out of bounds and ONNX
Runtime refuses the request. Its own hold-out is cut from the same extract, so metrics and golden rows look
right.

Version 3 is a bad release of another kind: it never fails, and its answers are wrong. It is retrained on the
trips of version 1 from an extract of another system, which lists the way that was taken last and not first.
Nobody noticed, so it learned to offer it last. By its own hold-out, of the same extract, it does as well as
version 1.

`traffic.json` is the hold-out of version 1, in the shape requests have, with the way that was taken: an
answer that has it among the first two was right. No version was trained on it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from training.artefacts import Provenance, Rows, Truth, Version, constant, serialised
from training.sources import Source

PROVENANCE = Provenance(
    source="Travel mode choice, Greene and Hensher 1997, table F18-2",
    licence="data public domain (as statsmodels declares); the package that carries it BSD-3-Clause",
    synthetic="nothing",
    file=Source(
        "statsmodels==0.15.0",
        "statsmodels/datasets/modechoice/modechoice.csv",
        "d2d72c1db440f8ffce01f58ed39fc1145569ec1703970dac1636c154fc01fd8e",
    ),
)
TRAFFIC = "60 trips of Greene and Hensher's travel mode choice that no version was trained on (public domain)"
WAYS = ("air", "train", "bus", "car")
PROPERTIES = ("terminal_minutes", "cost_dollars", "travel_minutes", "generalised_cost_dollars")
SCALES = np.array([10.0, 10.0, 60.0, 10.0])  # about one unit of each: the penalty then weighs them alike
INCOME_SCALE = 10.0
TRAVELLER = ("household_income_thousand_dollars", "party_size")
HELD_OUT = 60
SMOOTHING = 20.0  # pseudo-trips that pull a rare size of party towards the overall share
SMALL = 2  # the largest party of the newer extract
SPLITS = 20


@dataclass(frozen=True)
class Trips:
    """traveller FP32 [n, 2], offers FP32 [n, 4, 8] (which way as 0 and 1, properties), taken INT64 [n]."""

    traveller: NDArray[np.float32]
    offers: NDArray[np.float32]
    taken: NDArray[np.int64]

    def take(self, which: NDArray[Any]) -> Trips:
        return Trips(self.traveller[which], self.offers[which], self.taken[which])

    @property
    def inputs(self) -> Rows:
        return {"traveller": self.traveller, "offers": self.offers}


def parse(content: bytes) -> Trips:
    """Four lines a trip, in file order; raises ValueError for a trip that is not of this form."""
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8")), delimiter=";"))
    names = ("mode", "choice", "ttme", "invc", "invt", "gc", "hinc", "psize")
    table = np.array([[float(line[name]) for name in names] for line in lines]).reshape(
        -1, len(WAYS), len(names)
    )
    way, choice, traveller = table[:, :, 0], table[:, :, 1], table[:, 0, 6:]
    if (way != np.arange(1, len(WAYS) + 1)).any() or (choice.sum(axis=1) != 1).any():
        raise ValueError("a trip does not have each way once, with one taken")
    ways = np.broadcast_to(np.eye(len(WAYS)), (len(table), len(WAYS), len(WAYS)))
    offers = np.concatenate([ways, table[:, :, 2:6]], axis=2)
    return Trips(traveller.astype(np.float32), offers.astype(np.float32), choice.argmax(axis=1))


def explained(trips: Trips) -> NDArray[np.float64]:
    """What the logit sees of each offer, [n, 4, 16]: properties, way, way × income, way × party."""
    ways, properties = trips.offers[:, :, : len(WAYS)], trips.offers[:, :, len(WAYS) :] / SCALES
    income, party = trips.traveller[:, None, :1] / INCOME_SCALE, trips.traveller[:, None, 1:]
    return np.concatenate([properties, ways, ways * income, ways * party], axis=2).astype(np.float64)


def party_table(trips: Trips) -> NDArray[np.float32]:
    """[largest party of these trips + 1, 1]: smoothed log-odds that so many take the car."""
    by_car, party = trips.taken == WAYS.index("car"), trips.traveller[:, 1].astype(np.int64)
    overall = float(by_car.mean())
    table = []
    for size in range(int(party.max()) + 1):
        mine = by_car[party == size]
        rate = (float(mine.sum()) + SMOOTHING * overall) / (len(mine) + SMOOTHING)
        table.append([np.log(rate / (1 - rate))])
    return np.array(table, dtype=np.float32).round(4)


def looked_up(trips: Trips, table: NDArray[np.float32] | None) -> Trips:
    """With what the table has for the size of the party in its place."""
    if table is None:
        return trips
    party = table[trips.traveller[:, 1].astype(np.int64)]
    return replace(trips, traveller=np.concatenate([trips.traveller[:, :1], party], axis=1))


def train(trips: Trips, *, upside_down: bool = False) -> NDArray[np.float32]:
    """W [8, 3]: rows as the columns of an offer, columns constant, income, party.

    `upside_down`: as one who takes the last of the list for the first learns it.

    Weights are rounded to four digits, far below what 150 trips can tell, so that the order in which a
    processor adds them does not show.
    """
    seen, index = explained(trips), np.arange(len(trips.taken))
    taken = seen[index, trips.taken]
    better = np.concatenate([(taken - seen[:, other])[trips.taken != other] for other in range(len(WAYS))])
    pairs = np.concatenate([better, -better])
    won = np.repeat([0, 1] if upside_down else [1, 0], len(better))
    fitted = LogisticRegression(C=0.3, fit_intercept=False, max_iter=1000).fit(pairs, won).coef_[0].round(4)
    properties, way, with_income, with_party = fitted.reshape(4, len(WAYS))
    weights = np.zeros((len(WAYS) + len(PROPERTIES), 3))
    weights[: len(WAYS)] = np.stack([way, with_income / INCOME_SCALE, with_party], axis=1)
    weights[len(WAYS) :, 0] = properties / SCALES
    return weights.astype(np.float32)


def scored(weights: NDArray[np.float32], trips: Trips) -> NDArray[np.float64]:
    """Utilities [n, 4], of which the graph's scores are the softmax."""
    context = np.concatenate([np.ones((len(trips.taken), 1)), trips.traveller], axis=1)
    utilities: NDArray[np.float64] = (trips.offers @ weights @ context[:, :, None])[:, :, 0]
    return utilities


def lookup(table: NDArray[np.float32]) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The nodes that put the table's row in the place of the size of the party, and what they need."""
    nodes = [
        helper.make_node("Gather", ["traveller", "income_column"], ["income"], name="income", axis=1),
        helper.make_node("Gather", ["traveller", "party_column"], ["party"], name="party", axis=1),
        helper.make_node("Cast", ["party"], ["party_size"], name="party_size", to=TensorProto.INT64),
        helper.make_node("Gather", ["party_table", "party_size"], ["party_found"], name="party_lookup"),
        helper.make_node("Reshape", ["party_found", "column"], ["party_row"], name="party_row"),
        helper.make_node("Concat", ["income", "party_row"], ["traveller_seen"], name="seen", axis=1),
    ]
    tensors = [
        numpy_helper.from_array(table, "party_table"),
        numpy_helper.from_array(constant([0]), "income_column"),
        numpy_helper.from_array(constant([1]), "party_column"),
        numpy_helper.from_array(constant([-1, 1]), "column"),
    ]
    return nodes, tensors


def to_onnx(weights: NDArray[np.float32], number: int, table: NDArray[np.float32] | None) -> bytes:
    """One graph: offers × W × (1, traveller) → Softmax → score, TopK → ranking.

    Longer than 40 lines because the graph is read best in one piece.
    """
    front, tensors = ([], []) if table is None else lookup(table)
    seen = "traveller" if table is None else "traveller_seen"
    nodes = [
        *front,
        helper.make_node("Pad", [seen, "one_before", "one"], ["context_row"], name="context_row"),
        helper.make_node("Unsqueeze", ["context_row", "last"], ["context"], name="context"),
        helper.make_node("MatMul", ["offers", "weights"], ["weighed"], name="weighed"),
        helper.make_node("MatMul", ["weighed", "context"], ["utility_column"], name="utility_column"),
        helper.make_node("Squeeze", ["utility_column", "last"], ["utility"], name="utility"),
        helper.make_node("Softmax", ["utility"], ["score"], name="score", axis=1),
        helper.make_node("Shape", ["score"], ["offer_count"], name="offer_count", start=1),
        helper.make_node("TopK", ["score", "offer_count"], ["by_score", "ranking"], name="ranking", axis=1),
    ]
    width = len(WAYS) + len(PROPERTIES)
    graph = helper.make_graph(
        nodes,
        f"recommendation-{number}",
        [
            helper.make_tensor_value_info("traveller", TensorProto.FLOAT, [None, len(TRAVELLER)]),
            helper.make_tensor_value_info("offers", TensorProto.FLOAT, [None, None, width]),
        ],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, None]),
            helper.make_tensor_value_info("ranking", TensorProto.INT64, [None, None]),
        ],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(constant([0, 1, 0, 0]), "one_before"),
            numpy_helper.from_array(np.array(1, dtype=np.float32), "one"),
            numpy_helper.from_array(constant([-1]), "last"),
            *tensors,
        ],
    )
    return serialised(graph)


def ranked(utilities: NDArray[np.float64], taken: NDArray[np.int64]) -> dict[str, float]:
    """How high the offer that was taken stands; with one right offer NDCG is 1 / log2(1 + its place)."""
    own = utilities[np.arange(len(taken)), taken][:, None]
    place = (utilities >= own).sum(axis=1)  # a tie counts against it
    return {
        "ndcg": round(float((1 / np.log2(1 + place)).mean()), 4),
        "mean_reciprocal_rank": round(float((1 / place).mean()), 4),
        "first_is_taken": round(float((place == 1).mean()), 4),
    }


def split(trips: Trips, seed: int) -> tuple[Trips, Trips]:
    fitted, kept = train_test_split(
        np.arange(len(trips.taken)), test_size=HELD_OUT, random_state=seed, stratify=trips.taken
    )
    return trips.take(fitted), trips.take(kept)


def metrics(held_out: Trips, utilities: NDArray[np.float64], fitted: Trips) -> dict[str, Any]:
    """The ranking beside that by popularity."""
    popularity = np.bincount(fitted.taken, minlength=len(WAYS)).astype(np.float64)
    by_popularity = np.broadcast_to(popularity, (len(held_out.taken), len(WAYS)))
    return {
        "rows_held_out": len(held_out.taken),
        **ranked(utilities, held_out.taken),
        "by_popularity": ranked(by_popularity, held_out.taken),
    }


def over_other_splits(everything: Trips) -> dict[str, float]:
    """How much the ranking varies when other trips are held out."""
    found = []
    for seed in range(SPLITS):
        some, rest = split(everything, seed)
        found.append(ranked(scored(train(some), rest), rest.taken)["ndcg"])
    return {
        "mean": round(float(np.mean(found)), 4),
        "standard_deviation": round(float(np.std(found, ddof=1)), 4),
    }


def version_of(
    number: int,
    selection: str,
    fitted: Trips,
    held_out: Trips,
    *,
    has_table: bool = False,
    upside_down: bool = False,
    more: dict[str, Any] | None = None,
) -> Version:
    """Train on `fitted`, judge by `held_out`; longer than 40 lines for the tensors' literals."""
    table = party_table(fitted) if has_table else None
    weights = train(looked_up(fitted, table), upside_down=upside_down)
    utilities = scored(weights, looked_up(held_out, table))
    return Version(
        name="recommendation",
        number=number,
        description="Ranks ways to travel for a traveller: a score for each offer, and positions best first",
        content=to_onnx(weights, number, table),
        inputs=[
            {"name": "traveller", "datatype": "FP32", "shape": [-1, len(TRAVELLER)],
             "columns": list(TRAVELLER), "minimum": 0, "maximum": 1000},
            {"name": "offers", "datatype": "FP32", "shape": [-1, -1, len(WAYS) + len(PROPERTIES)],
             "columns": [*(f"by_{way}" for way in WAYS), *PROPERTIES], "minimum": 0, "maximum": 10_000},
        ],
        outputs=[
            {"name": "score", "datatype": "FP32", "shape": [-1, -1]},
            {"name": "ranking", "datatype": "INT64", "shape": [-1, -1]},
        ],
        training=PROVENANCE.training(selection, (fitted.traveller, fitted.offers, fitted.taken)),
        metrics={**metrics(held_out, -utilities if upside_down else utilities, fitted), **(more or {})},
        held_out=held_out.inputs,
    )  # fmt: skip


def build(archives: Path | None, out: Path) -> None:
    """Train every version and write it, and the traffic."""
    everything = parse(PROVENANCE.file.read(archives))
    fitted, held_out = split(everything, seed=11)
    spread = {"ndcg_over_20_other_splits": over_other_splits(everything)}
    first = version_of(1, "every trip; 60 of 210 held out", fitted, held_out, more=spread)
    first.write(out)
    first.write_traffic(out, TRAFFIC, Truth("ranking", held_out.taken, within=2))
    small = fitted.take(fitted.traveller[:, 1] <= SMALL)
    cut = len(small.taken) * 3 // 4
    newer, newer_kept = small.take(np.arange(cut)), small.take(np.arange(cut, len(small.taken)))
    version_of(
        2, "newer extract, parties of one and two; 1 in 4 held out", newer, newer_kept, has_table=True
    ).write(out)
    version_of(
        3, "the trips of version 1 from an extract that lists the way taken last", fitted, held_out,
        upside_down=True,
    ).write(out)  # fmt: skip
