"""A container that was killed for its memory is known to have been, whether or not it was started again."""

from __future__ import annotations

from maestro_cli.cost.rightsizing.asking import FactQueries


def test_one_whose_pod_went_before_it_was_started_again_counts() -> None:
    asked = FactQueries(span="1h").kills("ml")
    for family in ("kube_pod_container", "kube_pod_init_container"):
        for name in ("status_last_terminated_reason", "status_terminated_reason"):
            assert f'max_over_time({family}_{name}{{namespace="ml",reason="OOMKilled"}}[1h])' in asked
