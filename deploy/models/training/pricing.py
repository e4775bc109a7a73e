"""`pricing`: what a cut diamond costs. Version 1 and its traffic.

Data: prices and properties of 53,940 diamonds on sale in the United States in 2008, collected by H. Wickham
for the R package ggplot2. The copy read here ships in the PyPI package plotnine 0.15.9; both packages are
MIT. 146 rows repeat another to the last digit and are left out. Nothing in it is synthetic.

The trees learn the logarithm of the price, so that an error of a tenth counts alike for a small and a large
stone. The graph answers in thousands of US dollars: a float of 32 bits keeps 18,000 dollars to a cent, but
not its own exponent, and golden rows are compared by an absolute tolerance.

`traffic.json` is the first 300 rows of the hold-out, in the shape requests have.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, r2_score
from sklearn.model_selection import train_test_split

from training.artefacts import OPSETS, Provenance, Rows, Version, constant, serialised
from training.sources import Source

PROVENANCE = Provenance(
    source="diamonds of ggplot2, Wickham 2008",
    licence="MIT (ggplot2, and plotnine that carries it)",
    synthetic="nothing; integer codes stand for the grades of the source, worst first",
    file=Source(
        "plotnine==0.15.9",
        "plotnine/data/diamonds.csv",
        "9574730b03aba241d899c4a97511c5061b19358fab89510774fb6c24168345c4",
    ),
)
TRAFFIC = "300 diamonds of ggplot2 that no version was trained on (MIT)"
MEASURES = ("carat", "depth_percent", "table_percent")
GRADES: dict[str, tuple[str, ...]] = {
    "cut": ("Fair", "Good", "Very Good", "Premium", "Ideal"),
    "color": ("J", "I", "H", "G", "F", "E", "D"),
    "clarity": ("I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"),
}
WIDTH = len(MEASURES) + len(GRADES)


@dataclass(frozen=True)
class Diamonds:
    """measures FP32 [n, 3], grades INT64 [n, 3], price in thousands of US dollars, float64 [n]."""

    measures: NDArray[np.float32]
    grades: NDArray[np.int64]
    price: NDArray[np.float64]

    def take(self, which: NDArray[Any]) -> Diamonds:
        return Diamonds(self.measures[which], self.grades[which], self.price[which])

    @property
    def inputs(self) -> Rows:
        grades = {name: self.grades[:, [column]] for column, name in enumerate(GRADES)}
        return {"measures": self.measures, **grades}

    @property
    def joined(self) -> NDArray[np.float32]:
        return np.concatenate([self.measures, self.grades.astype(np.float32)], axis=1)


def parse(content: bytes) -> Diamonds:
    """Rows in file order, each once; raises ValueError for a grade that is not in the table above."""
    reader = csv.reader(io.StringIO(content.decode("utf-8")))
    header = next(reader)
    rows = [dict(zip(header, row, strict=True)) for row in dict.fromkeys(map(tuple, reader))]
    return Diamonds(
        np.array([[float(row[name]) for name in ("carat", "depth", "table")] for row in rows], np.float32),
        np.array([[levels.index(row[name]) for name, levels in GRADES.items()] for row in rows], np.int64),
        np.array([float(row["price"]) / 1000 for row in rows]),
    )


def train(rows: Diamonds) -> GradientBoostingRegressor:
    model = GradientBoostingRegressor(
        n_estimators=150, max_depth=4, learning_rate=0.15, subsample=0.8, min_samples_leaf=20, random_state=7
    )
    return model.fit(rows.joined, np.log(rows.price))


def to_onnx(model: GradientBoostingRegressor) -> bytes:
    """One graph: Concat(measures, grades as floats) → trees → Exp → price."""
    trees = convert_sklearn(
        model, initial_types=[("joined", FloatTensorType([None, WIDTH]))], target_opset=OPSETS
    ).graph
    front = [
        helper.make_node("Cast", [name], [f"{name}_float"], name=f"{name}_float", to=TensorProto.FLOAT)
        for name in GRADES
    ]
    columns = ["measures", *(f"{name}_float" for name in GRADES)]
    front.append(helper.make_node("Concat", columns, ["joined"], name="join", axis=1))
    back = [
        helper.make_node("Exp", [trees.output[0].name], ["price_column"], name="exp"),
        helper.make_node("Reshape", ["price_column", "one_axis"], ["price"], name="price"),
    ]
    graph = helper.make_graph(
        [*front, *trees.node, *back],
        "pricing-1",
        [
            helper.make_tensor_value_info("measures", TensorProto.FLOAT, [None, len(MEASURES)]),
            *(helper.make_tensor_value_info(name, TensorProto.INT64, [None, 1]) for name in GRADES),
        ],
        [helper.make_tensor_value_info("price", TensorProto.FLOAT, [None])],
        [*trees.initializer, numpy_helper.from_array(constant([-1]), "one_axis")],
    )
    return serialised(graph)


def metrics(rows: Diamonds, answered: NDArray[np.float64], median: float) -> dict[str, Any]:
    """Errors in US dollars, beside those of who always answers the median price of the training rows."""
    return {
        "rows_held_out": len(rows.price),
        "mean_absolute_error_usd": round(1000 * float(mean_absolute_error(rows.price, answered)), 1),
        "mean_absolute_percentage_error": round(
            float(mean_absolute_percentage_error(rows.price, answered)), 4
        ),
        "r2": round(float(r2_score(rows.price, answered)), 4),
        "median_price_error_usd": round(1000 * float(np.abs(rows.price - median).mean()), 1),
    }


def version_of(fitted: Diamonds, held_out: Diamonds) -> Version:
    """Train on `fitted`, judge by `held_out`."""
    model = train(fitted)
    answered = np.exp(model.predict(held_out.joined))
    grades = [
        {"name": name, "datatype": "INT64", "shape": [-1, 1], "columns": [name],
         "minimum": 0, "maximum": len(levels) - 1}
        for name, levels in GRADES.items()
    ]  # fmt: skip
    selection = f"every diamond once; {len(held_out.price):,} of {len(fitted.price) + len(held_out.price):,}"
    return Version(
        name="pricing",
        number=1,
        description="Price of a cut diamond in 2008, in thousands of US dollars",
        content=to_onnx(model),
        inputs=[
            {"name": "measures", "datatype": "FP32", "shape": [-1, len(MEASURES)],
             "columns": list(MEASURES), "minimum": 0, "maximum": 100},
            *grades,
        ],
        outputs=[{"name": "price", "datatype": "FP32", "shape": [-1]}],
        training=PROVENANCE.training(
            f"{selection} rows held out", (fitted.measures, fitted.grades, fitted.price)
        ),
        metrics=metrics(held_out, answered, float(np.median(fitted.price))),
        held_out=held_out.inputs,
        tolerance=1e-3,
    )  # fmt: skip


def build(archives: Path | None, out: Path) -> None:
    """Train the version and write it, and the traffic."""
    everything = parse(PROVENANCE.file.read(archives))
    fitted, kept = train_test_split(np.arange(len(everything.price)), test_size=0.2, random_state=11)
    version = version_of(everything.take(fitted), everything.take(kept))
    version.write(out)
    version.write_traffic(out, TRAFFIC)
