"""What the activities of an experiment ask for in its child process, answered in the parent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maestro_cli.chaos.heard import Heard
from maestro_cli.chaos.injecting import Injecting
from maestro_cli.chaos.ports import Platform
from maestro_cli.chaos.regions.drill import RegionDrill
from maestro_cli.core.errors import GateNotMet, NotFound
from maestro_cli.core.refs import parse_workload_ref


class Requests:
    """Of one run. `value` answers queries, `undo` takes faults back, `put_in` hears of one in effect."""

    def __init__(
        self,
        platform: Platform,
        value: Callable[[str], float | None],
        injecting: Injecting,
        regions: RegionDrill,
        heard: Heard,
        undo: Callable[[str, str], Mapping[str, Any]],
        put_in: Callable[[], None],
    ) -> None:
        self._platform, self._value, self._heard = platform, value, heard
        self._injecting, self._regions = injecting, regions
        self._undo, self._told_put_in = undo, put_in

    def answer(self, do: str, arguments: Mapping[str, Any]) -> Any:
        """Raises what the activity is to fail with, and NotFound where nobody answers to that."""
        fault = str(arguments.get("fault") or "")
        if do in ("inject", "failover"):
            return self._put_in(do, fault)
        if do == "undo":
            return self._undo(fault, "its rollbacks")
        if do == "hold":
            seconds = arguments.get("seconds")
            return self._injecting.hold(None if seconds is None else float(seconds))
        if do == "sentinels":
            return self._regions.write_sentinels(float(arguments["seconds"]))
        if do == "recovered":
            return self._injecting.recovered(fault)
        if do == "served":
            return 0 if self._platform.regions.unserved() else 1
        if do == "value":
            value = self._value(str(arguments["query"]))
            if value is None:
                raise NotFound("no data", why=f"the query gave no one value: {arguments['query']}")
            return value
        if do == "ready_pods":
            ref = parse_workload_ref(str(arguments["workload"]))
            return self._platform.cluster.get_workload(ref).replicas_ready
        raise NotFound(f"nobody answers to {do!r}")

    def _put_in(self, do: str, fault: str) -> Mapping[str, Any]:
        if self._heard.phase != "method":  # a probe of the hypothesis may call it, or a rollback
            raise GateNotMet("faults are put in by the method alone", why="its gate comes first")
        regions = self._regions
        done = regions.inject(fault) if do == "inject" else regions.fail_over(fault)
        self._told_put_in()
        return done
