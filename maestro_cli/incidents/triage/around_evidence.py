"""Evidence of what lies around a workload. Invariant: parts that could not be asked are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.quantities import counted, format_duration
from maestro_cli.incidents.triage.around import PARTS
from maestro_cli.incidents.triage.model import Evidence
from maestro_cli.incidents.triage.page import Outcome, Page
from maestro_cli.incidents.triage.platform_suspects import SOON_SECONDS

_TITLE = "Certificates, keys, jobs, replicas and spend"


class AroundEvidence(Page):
    """What the metrics told of the surroundings."""

    def _around(self, second: Mapping[str, Outcome]) -> Evidence:
        asked = {name: second[name] for name in PARTS if name in second}
        failed = {name: item.error for name, item in asked.items() if item.error}
        jobs = {name: item.error for name, item in second.items() if name.startswith("job ") and item.error}
        if not asked or len(failed) == len(asked):
            why = next(iter(failed.values()), self._unasked.metrics)
            return self._nothing("around", _TITLE, "prometheus", why)
        facts: dict[str, Any] = {**plain(self._case.around), "unread": {**failed, **jobs}}
        del facts["signals"]
        summary = "; ".join(self._told()) or "nothing stands out"
        summary += f"; {len(failed)} of {len(asked)} parts could not be read" if failed else ""
        seconds = max(item.seconds for item in asked.values())
        return self._made("around", _TITLE, ", ".join(asked), "prometheus", summary, facts, seconds)

    def _told(self) -> list[str]:
        around = self._case.around
        told = []
        soon = [one for one in around.certificates if one.seconds_left <= SOON_SECONDS]
        if soon:
            first = soon[0]
            when = "ended" if first.seconds_left <= 0 else f"ends in {format_duration(first.seconds_left)}"
            told.append(f"the certificate in {first.namespace}/{first.secret} {when}")
        refused = sum(one.since for one in around.refusals)
        told += [f"{counted(round(refused), 'request')} refused for their key"] if refused >= 1 else []
        told += [f"{counted(len(around.failed_jobs), 'job')} failed"] if around.failed_jobs else []
        if around.scalings:
            last = around.scalings[-1]
            told.append(f"replicas went from {last.before} to {last.after}")
        if around.spend is not None and around.budget is not None:
            told.append(f"costs {around.spend:.2f} of {around.budget:.2f} an hour")
        told += [f"{self._case.workload} is not in the cluster"] if around.gone else []
        return told
