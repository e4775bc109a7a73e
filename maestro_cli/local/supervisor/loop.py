"""Bring every part up, keep it up, take it down.

Invariant: what happened is published before anything else is done about it, so `status` and whoever waits
in `up` never see less than the supervisor knows, unless the disk is full: what works goes on, and it is
published once there is space. While coming up, a part that keeps failing ends the whole
platform; once it was up, a part is restarted for ever, ever more slowly.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Mapping

from maestro_cli.core.clock import Clock, to_rfc3339
from maestro_cli.core.files import write_atomically
from maestro_cli.local.certificates import Pki
from maestro_cli.local.instance import (
    Failure,
    Record,
    id_prefix,
    remove_run_files,
    write_record,
)
from maestro_cli.local.keys import key_file, key_files
from maestro_cli.local.ports import Ports
from maestro_cli.local.process import PLATFORM_VARIABLE
from maestro_cli.local.supervisor.group import Group
from maestro_cli.local.supervisor.model import CLUSTER, SERVICE, WORKLOAD, Plan
from maestro_cli.local.supervisor.parts import FOUND_OUT, NODES, parts_of
from maestro_cli.local.supervisor.workload import Workload

_LOG = logging.getLogger(__name__)
START_LIMIT_SECONDS = 180.0  # a part that cannot start is given up long before


class Supervisor:
    """One platform from its first process to its last."""

    def __init__(self, plan: Plan, environment: Mapping[str, str], clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._began = clock.monotonic()
        self._started_at = clock.now()
        ports = Ports()
        marked = {**environment, PLATFORM_VARIABLE: plan.id}
        self._group = Group(parts_of(plan, ports), plan.state, marked, ports, clock, FOUND_OUT)
        self._facts = self._group.facts
        self._workload = Workload(
            plan.config / "manifests.json", plan.state / "agent.kubeconfig", len(NODES), self._note_workload
        )
        self._ready_after: float | None = None
        self._failure: Failure | None = None
        self._stopping = False
        self._published = ""

    async def run(self) -> None:
        """Until SIGTERM or SIGINT, or until coming up has failed; then take everything down."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop)
        loop.add_signal_handler(signal.SIGCHLD, self._group.wake.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)  # the terminal that started it may go
        workload: asyncio.Task[None] | None = None
        try:
            while not self._stopping and self._failure is None:
                await self._tick()
                # after the first tick: its imports take place while the cluster starts
                workload = workload or loop.create_task(self._workload.keep())
                await self._group.pause(busy=self._ready_after is None)
                if workload.done():
                    workload.result()  # it never ends by itself: raise what ended it
        finally:
            if workload is not None:
                workload.cancel()
            await self._shutdown()

    async def _tick(self) -> None:
        await self._group.look()
        self._write_context()
        self._group.start_due()
        self._judge_start()
        self._publish()

    def _note_workload(self, fact: str, url: str) -> None:
        self._facts[fact] = {"url": url}
        self._group.wake.set()

    def _endpoints(self) -> dict[str, str]:
        names = {"cluster": CLUSTER, "prometheus": "prometheus", "alertmanager": "alertmanager"}
        names |= {"serving": SERVICE, "load": "load", "metrics": "metrics", "watch": "watch"}
        urls = {label: self._facts.get(fact, {}).get("url") for label, fact in names.items()}
        return {label: str(url) for label, url in urls.items() if url}

    def _write_context(self) -> None:
        """The context `local`, once every endpoint in it is known; again when one of them moved."""
        urls = self._endpoints()
        if not {"cluster", "prometheus", "alertmanager", "serving"} <= urls.keys():
            return
        context = json.loads((self._plan.config / "context.json").read_text(encoding="utf-8"))
        state = self._plan.state
        secret = (self._plan.token_file, *key_files(state), *Pki(state / "pki").secrets)
        context["redact"] = [f"file:{path}" for path in secret]
        context["cluster"] = {"kubeconfig": str(self._plan.state / "admin.kubeconfig")}
        for name in ("prometheus", "alertmanager", "serving"):
            context[name] = {"url": urls[name]}
        context["serving"]["token"] = f"file:{key_file(state, 'operator')}"
        text = json.dumps(context, indent=1) + "\n"
        target = self._plan.state / "context.json"
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            write_atomically(target, text, mode=0o600)

    def _judge_start(self) -> None:
        if self._ready_after is not None:
            return
        elapsed = self._clock.monotonic() - self._began
        late = self._group.unready()
        if not late and WORKLOAD in self._facts:
            self._ready_after = elapsed
            return
        if (child := self._group.hopeless()) is not None:
            name = child.part.name
            self._failure = self._failed(f"{name} does not start", child.reason, name)
            return
        if elapsed > START_LIMIT_SECONDS:
            what = f"the platform is not ready after {START_LIMIT_SECONDS:.0f} s"
            if WORKLOAD in self._facts:
                self._failure = self._failed(what, f"still waiting for {', '.join(late)}", late[0])
            else:
                self._failure = self._failed(what, f"still waiting for {self._workload.waiting_for}", "")

    def _failed(self, what: str, why: str, part: str) -> Failure:
        last = _last_line(self._plan, part) if part else ""
        return Failure(
            what,
            f"{why}; it last said: {last}" if last else why,
            f"look into {self._plan.state / 'logs' / (f'{part}.log' if part else '')}",
        )

    def _publish(self) -> None:
        state = "starting" if self._ready_after is None else "ready"
        if self._failure is not None:
            state = "failed"
        if self._stopping:
            state = "stopping"
        record = Record(
            id=self._plan.id,
            supervisor_pid=os.getpid(),
            state=state,
            started_at=to_rfc3339(self._started_at),
            profile=self._plan.profile,
            cluster=self._plan.cluster,
            load_seed=self._plan.load_seed,
            ready_after_seconds=self._ready_after,
            waiting_for="" if WORKLOAD in self._facts else self._workload.waiting_for,
            endpoints=self._endpoints(),
            parts=self._group.record(stopping=self._stopping),
            failure=self._failure,
        )
        if (text := repr(record)) == self._published:
            return
        try:
            write_record(self._plan.state, record)
        except OSError as refusal:
            if self._ready_after is None:
                raise
            _LOG.warning("%s cannot be written: %s", refusal.filename, refusal.strerror)
        else:
            self._published = text

    def _ask_to_stop(self) -> None:
        self._stopping = True
        self._group.wake.set()

    async def _shutdown(self) -> None:
        """Stop the parts in a bounded time; then sweep what is left."""
        failed = self._failure is not None
        self._stopping = not failed
        self._publish()
        await self._group.stop()
        from maestro_cli.local.sweep import sweep  # psutil, not needed before

        sweep(id_prefix(self._plan.state), self._clock, grace_seconds=0.3, limit_seconds=2.0)
        if not failed:  # whoever waits in `up` reads the failure, then clears
            remove_run_files(self._plan.state)


def _last_line(plan: Plan, part: str) -> str:
    from maestro_cli.core.untrusted import visible
    from maestro_cli.local.logfiles import last_lines

    lines = last_lines(plan.state / "logs" / f"{part}.log", 3)
    what = [line for line in lines if line.startswith("maestro: ")]  # why and fix follow it
    return visible((what or lines)[-1], 300) if lines else ""
