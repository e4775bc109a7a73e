"""Every command, as data. Invariant: help and completion read this table and import no command."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stub:
    """A top-level command: its module under `cli.commands`, its one help line, its panel."""

    name: str
    module: str
    help: str
    panel: str


RESPOND, OPERATE, REHEARSE, RECORD, SETUP = (
    "Respond",
    "Operate",
    "Rehearse",
    "Record",
    "Set up",
)

COMMANDS: tuple[Stub, ...] = (
    Stub("status", "status", "Show at a glance what is wrong: incidents, workloads, alerts, burn.", RESPOND),
    Stub("tui", "tui", "Open the full-screen console: what is wrong, who it hurts, what to do.", RESPOND),
    Stub("incident", "incident", "Open, list, show, triage, respond to and resolve incidents.", RESPOND),
    Stub("watch", "watch", "Detect: poll and listen to Alertmanager, and open incidents.", RESPOND),
    Stub("runbook", "runbook", "List, show, run and resume Markdown runbooks.", RESPOND),
    Stub("playbook", "playbook", "List, show, explain and run what binds alerts to runbooks.", RESPOND),
    Stub("oncall", "oncall", "Show who is on call, and check the file that says so.", RESPOND),
    Stub("slo", "slo", "List and check objectives, and see how they are kept.", RESPOND),
    Stub("sla", "sla", "Report how the promises of a month were kept, and verify a report.", OPERATE),
    Stub("workload", "workload", "List deployments, stateful sets and daemon sets.", OPERATE),
    Stub("pod", "pod", "List pods, and have one end.", OPERATE),
    Stub("node", "node", "List nodes, close or open them to new pods, and drain them.", OPERATE),
    Stub("rollback", "rollback", "Return a workload to an earlier revision, as a gated change.", OPERATE),
    Stub("restart", "restart", "Replace every replica of a workload, a few at a time.", OPERATE),
    Stub("scale", "scale", "Set how many replicas a workload wants.", OPERATE),
    Stub("set", "set", "Set images, environment, a key of a config map, bounds of an autoscaler.", OPERATE),
    Stub(
        "rollout", "rollout", "See how far the rollout of a workload is, hold it, and let it go on.", OPERATE
    ),
    Stub("traffic", "traffic", "Set which version of a model answers which share.", OPERATE),
    Stub("canary", "canary", "Give another version a share, judge it, promote or abort it.", OPERATE),
    Stub("model", "model", "Promote, load and unload versions of models.", OPERATE),
    Stub("shadow", "shadow", "Ask another version what users ask, and compare.", OPERATE),
    Stub("freeze", "freeze", "Have no version promoted while an incident is looked into.", OPERATE),
    Stub("unfreeze", "unfreeze", "Allow promotions again.", OPERATE),
    Stub("silence", "silence", "Silence alerts for a while, list silences, and end them.", OPERATE),
    Stub(
        "change", "change", "List and show changes, see interrupted ones through, take changes back.", OPERATE
    ),
    Stub("approve", "approve", "Approve or deny what waits for a second person.", OPERATE),
    Stub("policy", "policy", "Check a policy file, and explain what its rules say of a change.", OPERATE),
    Stub(
        "cost",
        "cost",
        "Show what it costs, who spends it, and what can be saved unharmed.",
        OPERATE,
    ),
    Stub("serve", "serve", "Serve models over HTTP, and make the keys of who may call.", OPERATE),
    Stub(
        "chaos", "chaos", "Plan and run experiments under guard, end them, and clean up after them.", REHEARSE
    ),
    Stub("drill", "drill", "Rehearse a whole incident and score it against the known truth.", REHEARSE),
    Stub("local", "local", "Start and stop the embedded platform of real processes.", REHEARSE),
    Stub("notify", "notify", "List the channels that are told of incidents, and try one.", RECORD),
    Stub("outbox", "outbox", "List messages that wait for their channel, and try them again.", RECORD),
    Stub("journal", "journal", "Show and verify the record of everything that happened.", RECORD),
    Stub("context", "context", "List, show and choose the endpoints maestro works against.", SETUP),
    Stub("schema", "schema", "Print the JSON schema of a file that people write.", SETUP),
    Stub("doctor", "doctor", "Check paths, versions, endpoints, and what works.", SETUP),
    Stub("help", "help", "Explain exit codes and other topics.", SETUP),
)
