"""Versions move to cheaper storage only where that pays, and never one that could be rolled back to."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from maestro_cli.core.errors import NoData, UsageError
from maestro_cli.cost.metering.model import GIB
from maestro_cli.cost.prices.model import HOURS_OF_A_MONTH, StorageClass
from maestro_cli.cost.storage.keeping import References, kept_versions, named_versions
from maestro_cli.cost.storage.lifecycle import Policy, gcs_policy, s3_policy
from maestro_cli.cost.storage.model import StoredObject, StoredVersion, group_versions
from maestro_cli.cost.storage.tiering import Outlook, Place, Tiering, weigh_versions

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOT = StorageClass("STANDARD", 0.023 / HOURS_OF_A_MONTH)
COLD = StorageClass(
    "STANDARD_IA", 0.0125 / HOURS_OF_A_MONTH, per_thousand_requests=0.01, per_gib_retrieved=0.01,
    least_days=30, least_bytes=128 * 1024,
)  # fmt: skip
NOTHING = References({})


def stored(key: str, gib: float = 1.0, days: float = 90, storage_class: str = "STANDARD") -> StoredObject:
    return StoredObject(key, int(gib * GIB), NOW - timedelta(days=days), storage_class)


def versions(*objects: StoredObject) -> tuple[StoredVersion, ...]:
    return group_versions(objects, "models/", COLD.least_bytes)[0]


def weigh(
    *objects: StoredObject, outlook: Outlook = Outlook(), references: References = NOTHING, newest: int = 1
) -> dict[str, Tiering]:
    found = versions(*objects)
    kept = kept_versions(found, references, newest)
    weighed = weigh_versions(found, kept, hot=HOT, cold=COLD, outlook=outlook, now=NOW)
    return {one.version.name: one for one in weighed}


def test_a_version_moves_when_what_it_saves_is_more_than_the_move_and_reading_back() -> None:
    old, new = stored("models/fraud/1/model.onnx", 100), stored("models/fraud/2/model.onnx")
    moved = weigh(old, new)["fraud@1"]
    assert moved.place is Place.MOVE
    assert moved.saving == pytest.approx(100 * (0.023 - 0.0125) * 12 - 0.00001)
    read = weigh(old, new, outlook=Outlook(reads_per_month=2))["fraud@1"]
    assert read.place is Place.STAY
    assert read.saving == pytest.approx(100 * (0.023 - 0.0125) * 12 - 0.00001 - 100 * 24 * 0.01)


def test_what_will_lie_there_for_less_than_the_least_days_pays_for_them() -> None:
    short = Outlook(months=0.25)
    moved = weigh(stored("models/fraud/1/m", 100), stored("models/fraud/2/m"), outlook=short)["fraud@1"]
    stays = 30 * 24 / HOURS_OF_A_MONTH
    assert moved.saving == pytest.approx(100 * (0.023 * 0.25 - 0.0125 * stays) - 0.00001)
    assert moved.place is Place.STAY


def test_young_versions_small_objects_and_those_there_already_stay() -> None:
    found = weigh(
        stored("models/a/1/m", 10, days=10),
        stored("models/a/9/m"),
        *(stored(f"models/b/1/{part}", 100_000 / GIB) for part in range(50)),
        stored("models/b/9/m"),
        stored("models/c/1/m", 10, storage_class="STANDARD_IA"),
        stored("models/c/9/m"),
    )
    assert {name: one.place for name, one in found.items() if name.endswith("@1")} == {
        "a@1": Place.STAY, "b@1": Place.STAY, "c@1": Place.STAY,
    }  # fmt: skip


def test_without_a_price_there_is_no_figure() -> None:
    found = versions(stored("models/fraud/1/m", 10))
    for hot, cold in ((None, COLD), (HOT, None), (HOT, StorageClass("STANDARD_IA", 0.1))):
        (one,) = weigh_versions(found, {}, hot=hot, cold=cold, outlook=Outlook(), now=NOW)
        assert (one.place, one.saving) == (Place.UNKNOWN, None)


def test_keys_that_are_of_no_version_are_told_apart() -> None:
    found, others = group_versions([stored("models/readme.md"), stored("other/fraud/1/m")], "models/")
    assert found == ()
    assert [one.key for one in others] == ["models/readme.md"]


def test_where_nobody_knows_what_is_served_everything_is_kept() -> None:
    objects = [stored(f"models/fraud/{number}/m", 100) for number in range(1, 9)]
    found = weigh(*objects, references=References({}, unknown="the cluster does not answer"))
    assert {one.place for one in found.values()} == {Place.KEEP}


def _broken_rules(kept: Callable[..., Mapping[StoredVersion, str]]) -> int:
    """How many of 300 generated repositories have a policy that reaches a version that is needed."""
    broken = 0
    for seed in range(300):
        chance = random.Random(seed)
        objects = [
            stored(f"models/{model}/{number}/m", chance.uniform(0.1, 50), chance.uniform(0, 400))
            for model in ("fraud", "fraud-eu", "price", "a/b")[: chance.randint(1, 4)]
            for number in chance.sample(range(1, 130), chance.randint(1, 30))
        ]
        found = versions(*objects)
        names = [(one.model, one.version) for one in found]
        needed = dict.fromkeys(chance.sample(names, len(names) // 3), ("deployment/fraud, revision 3",))
        weighed = weigh_versions(
            found, kept(found, References(needed), 2), hot=HOT, cold=COLD, outlook=Outlook(), now=NOW
        )
        if all(one.place is not Place.MOVE for one in weighed):
            continue
        prefixes = _prefixes(s3_policy(weighed, "STANDARD_IA", 30), gcs_policy(weighed, "NEARLINE", 30))
        keep = [one for one in found if (one.model, one.version) in needed or one in _young(found)]
        broken += any(one.prefix.startswith(prefix) for one in keep for prefix in prefixes)
    return broken


def _young(found: Iterable[StoredVersion]) -> set[StoredVersion]:
    by_model: dict[str, list[StoredVersion]] = {}
    for one in found:
        by_model.setdefault(one.model, []).append(one)
    ordered = (sorted(group, key=lambda one: one.version) for group in by_model.values())
    return {one for group in ordered for one in group[-2:]}


def _prefixes(s3: Policy, gcs: Policy) -> set[str]:
    mine = {rule["Filter"]["Prefix"] for rule in s3.document["Rules"]}
    theirs = {prefix for rule in gcs.document["rule"] for prefix in rule["condition"]["matchesPrefix"]}
    assert mine == theirs
    assert "Expiration" not in json.dumps(s3.document)
    assert "Delete" not in json.dumps(gcs.document)
    return mine


def test_no_policy_reaches_a_version_that_is_served_or_could_be_rolled_back_to() -> None:
    assert _broken_rules(kept_versions) == 0


def test_rules_that_forget_what_is_needed_are_caught() -> None:
    def forgetful(found: Iterable[StoredVersion], _: References, newest: int) -> dict[StoredVersion, str]:
        return kept_versions(found, NOTHING, newest)

    assert _broken_rules(forgetful) > 200


def test_a_store_is_told_only_what_it_takes() -> None:
    weighed = list(weigh(stored("models/fraud/1/m", 100), stored("models/fraud/2/m")).values())
    with pytest.raises(UsageError, match="after 10 days"):
        s3_policy(weighed, "STANDARD_IA", 10)
    with pytest.raises(UsageError, match="has no storage class"):
        s3_policy(weighed, "STANDARD-IA", 30)
    with pytest.raises(UsageError, match="has no storage class"):
        gcs_policy(weighed, "STANDARD_IA", 30)


def test_a_policy_that_moves_nothing_is_none() -> None:
    for made, storage_class in ((s3_policy, "STANDARD_IA"), (gcs_policy, "NEARLINE")):
        with pytest.raises(NoData, match="no version moves"):
            made(weigh(stored("models/fraud/1/m", 100)).values(), storage_class, 30)


@pytest.mark.parametrize("name", ["\x1b[31m", "a\x00", "b\ufffe", "c\udcff"])
def test_a_name_that_no_store_can_be_told_spoils_no_policy(name: str) -> None:
    objects = [stored(f"models/{model}/{number}/m", 100) for model in (name, "fraud") for number in (1, 2)]
    weighed = weigh(*objects).values()
    s3, gcs = s3_policy(weighed, "STANDARD_IA", 30), gcs_policy(weighed, "NEARLINE", 30)
    assert _prefixes(s3, gcs) == {"models/fraud/1/"}
    assert s3.left_out == gcs.left_out == (f"{name}@1",)


def test_an_identifier_of_a_rule_is_plain_whatever_its_model_is_called() -> None:
    name = 'a b/<script>"\u202e' + "x" * 300
    objects = [stored(f"models/{name.replace('/', '-')}/{number}/m", 100) for number in (1, 2)]
    (rule,) = s3_policy(weigh(*objects).values(), "STANDARD_IA", 30).document["Rules"]
    assert re.fullmatch(r"[A-Za-z0-9._-]{255}", rule["ID"])


def test_google_is_told_no_more_than_a_thousand_prefixes_in_all() -> None:
    objects = [stored(f"models/m/{number}/m", 1 + number / 100) for number in range(1, 1104)]
    policy = gcs_policy(weigh(*objects).values(), "NEARLINE", 30)
    assert [len(rule["condition"]["matchesPrefix"]) for rule in policy.document["rule"]] == [50] * 20
    assert len(policy.left_out) == 102


def test_more_rules_than_a_store_takes_are_left_out_by_name_what_saves_least_first() -> None:
    objects = [stored(f"models/m/{number}/m", 1 + number / 100) for number in range(1, 1104)]
    policy = s3_policy(weigh(*objects).values(), "STANDARD_IA", 30)
    assert len(policy.document["Rules"]) == 1000
    assert len(policy.left_out) == 102
    assert policy.left_out[-1] == "m@1"
    assert len({rule["ID"] for rule in policy.document["Rules"]}) == 1000


def test_what_lies_in_another_class_than_the_one_asked_about_stays() -> None:
    found = weigh(stored("models/a/1/m", 100, storage_class="DEEP_ARCHIVE"), stored("models/a/2/m"))["a@1"]
    assert (found.place, found.saving) == (Place.STAY, None)


def test_a_version_that_stands_apart_from_its_model_in_a_routing_document_is_named() -> None:
    text = json.dumps({"data": {"routing.yaml": "routes:\n- model: fraud\n  version: 1\n- {version: 7}\n"}})
    named = named_versions([("configmaps/r", text), ("other", "version: 3")], ["fraud"])
    assert set(named) == {("fraud", 1), ("fraud", 7)}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"env": [{"name": "MODEL", "value": "fraud"}, {"name": "VERSION", "value": "3"}]}', {3}),
        ('{"env": [{"name": "MODEL", "value": "fraud"}, {"name": "MODEL_VERSION", "value": "03"}]}', {3}),
        ('{"model": "fraud", "version": 3}', {3}),
        (json.dumps({"a": json.dumps({"model": "fraud", "version": 3})}), {3}),
        ("name: fraud versions: [1, 2, 12]", {1, 2, 12}),
        ("fraud versions:   - 4   - 5", {4, 5}),
        ("registry/fraud:v7", {7}),
        ('{"model": "fraud", "version": "v3"}', {3}),
        ("name: fraud versions: [v1, v2]", {1, 2}),
        ("version 3 of another", set()),
        ("fraudulent/3", set()),
    ],
)
def test_the_shapes_in_which_a_version_is_named(text: str, named: set[int]) -> None:
    assert {version for _, version in named_versions([("where", text)], ["fraud"])} == named
