"""The fields of Chaos Mesh 2.8 (`chaos-mesh.org/v1alpha1`), as data.

Invariant: facts of its API types at v2.8.3 and nothing else; what maestro demands besides is in `demands`.
A test compares what is here with the resource definitions that Chaos Mesh publishes.

A key that ends with `!` is required. A value is a type and, after a space, what bounds it:

    str bool int int32 int64 byte(base64) time(RFC 3339)   as OpenAPI has them
    duration decimal rate size percent port cron netem      text or numbers that its webhooks check as well
    Name                                                    one of SHAPES
    [x] {x}                                                 a list of x, text keys with values x
    a|b|c                                                   one of these words
    object                                                  passed over: not a part of these tables
    1..9  >0  =default  null                                bounds, a default, may be null
"""

from __future__ import annotations

from collections.abc import Mapping

GROUP, VERSION, RELEASE = "chaos-mesh.org", "v1alpha1", "2.8"
NETEM_TIME = r"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)$"

_MODE = "one|all|fixed|fixed-percent|random-max-percent"
_PODS = {"selector!": "Selector", "mode!": _MODE, "value": "str"}
_CHAOS = {**_PODS, "duration": "duration", "remoteCluster": "str"}
_CONTAINERS = {**_CHAOS, "containerNames": "[str]"}
_CORRELATED = {"correlation": "decimal"}
_STAMP = {"sec!": "int64", "nsec!": "int64"}

Shape = Mapping[str, str]

# The kinds that embed others, and by which key. `object`: kinds that are no part of these tables.
EMBEDDED: Mapping[str, str] = {
    "podChaos": "PodChaosSpec",
    "networkChaos": "NetworkChaosSpec",
    "stressChaos": "StressChaosSpec",
    "ioChaos": "IOChaosSpec",
    "dnsChaos": "DNSChaosSpec",
    "httpChaos": "HTTPChaosSpec",
    "timeChaos": "TimeChaosSpec",
    "awsChaos": "object",
    "azureChaos": "object",
    "blockChaos": "object",
    "gcpChaos": "object",
    "jvmChaos": "object",
    "kernelChaos": "object",
    "physicalmachineChaos": "object",
}
_SCHEDULE = {
    "schedule!": "cron",
    "historyLimit": "int 1..",
    "type!": "str",
    **EMBEDDED,
}

SHAPES: Mapping[str, Shape] = {
    "Selector": {
        "namespaces": "[str]",
        "labelSelectors": "{str}",
        "annotationSelectors": "{str}",
        "fieldSelectors": "{str}",
        "expressionSelectors": "[Requirement]",
        "pods": "{[str]}",
        "nodes": "[str]",
        "nodeSelectors": "{str}",
        "podPhaseSelectors": "[str]",
    },
    "Requirement": {"key!": "str", "operator!": "str", "values": "[str] atomic"},
    "PodChaosSpec": {
        **_CONTAINERS,
        "action!": "pod-kill|pod-failure|container-kill",
        "gracePeriod": "int64 0..",
    },
    "NetworkChaosSpec": {
        **_CHAOS,
        "action!": "netem|delay|loss|duplicate|corrupt|partition|bandwidth",
        "device": "str",
        "targetDevice": "str",
        "direction": "to|from|both =to",
        "target": "PodChoice",
        "externalTargets": "[str]",
        "delay": "Delay",
        "loss": "Loss",
        "duplicate": "Duplicate",
        "corrupt": "Corrupt",
        "bandwidth": "Bandwidth",
        "rate": "Rate",
    },
    "PodChoice": _PODS,
    "Delay": {**_CORRELATED, "latency!": "netem", "jitter": "netem", "reorder": "Reorder"},
    "Reorder": {**_CORRELATED, "reorder!": "decimal", "gap!": "int"},
    "Loss": {**_CORRELATED, "loss!": "decimal"},
    "Duplicate": {**_CORRELATED, "duplicate!": "decimal"},
    "Corrupt": {**_CORRELATED, "corrupt!": "decimal"},
    "Rate": {"rate!": "rate"},
    "Bandwidth": {
        "rate!": "rate",
        "limit!": "int32 1..",
        "buffer!": "int32 1..",
        "peakrate": "int64 0..",
        "minburst": "int32 0..",
    },
    "StressChaosSpec": {**_CONTAINERS, "stressors": "Stressors", "stressngStressors": "str"},
    "Stressors": {"cpu": "CPUStressor", "memory": "MemoryStressor"},
    "CPUStressor": {"workers!": "int ..8192", "load": "int 0..100", "options": "[str]"},
    "MemoryStressor": {
        "workers!": "int ..8192",
        "size": "size",
        "oomScoreAdj": "int -1000..1000 =0",
        "options": "[str]",
    },
    "IOChaosSpec": {
        **_CONTAINERS,
        "action!": "latency|fault|attrOverride|mistake",
        "volumePath!": "str",
        "path": "str",
        "methods": "[str]",
        "percent": "percent =100",
        "delay": "duration",
        "errno": "int32",
        "attr": "Attributes",
        "mistake": "Mistake",
    },
    "Attributes": {
        "ino": "int64",
        "size": "int64",
        "blocks": "int64",
        "atime": "Stamp",
        "mtime": "Stamp",
        "ctime": "Stamp",
        "kind": "str",
        "perm": "int",
        "nlink": "int32",
        "uid": "int32",
        "gid": "int32",
        "rdev": "int32",
    },
    "Stamp": _STAMP,
    "Mistake": {"filling": "zero|random", "maxOccurrences": "int64 1..", "maxLength": "int64 1.."},
    "DNSChaosSpec": {**_CONTAINERS, "action!": "error|random", "patterns": "[str]"},
    "HTTPChaosSpec": {
        **_CHAOS,
        "target!": "Request|Response",
        "port": "port",
        "path": "str",
        "method": "str",
        "code": "int32",
        "request_headers": "{str}",
        "response_headers": "{str}",
        "abort": "bool",
        "delay": "duration",
        "replace": "Replace",
        "patch": "Patch",
        "tls": "TLS",
    },
    "Replace": {
        "path": "str",
        "method": "str",
        "code": "int32",
        "body": "byte",
        "queries": "{str}",
        "headers": "{str}",
    },
    "Patch": {"body": "PatchBody", "queries": "[[str]]", "headers": "[[str]]"},
    "PatchBody": {"type!": "str", "value!": "str"},
    "TLS": {
        "secretName!": "str",
        "secretNamespace!": "str",
        "certName!": "str",
        "keyName!": "str",
        "caName": "str",
    },
    "TimeChaosSpec": {**_CONTAINERS, "timeOffset!": "duration", "clockIds": "[str]"},
    "ScheduleSpec": {
        **_SCHEDULE,
        "startingDeadlineSeconds": "int64 >0 null",
        "concurrencyPolicy": "Forbid|Allow =Forbid",
        "workflow": "WorkflowSpec",
    },
    "TemplateSchedule": {  # a Schedule inside a Workflow holds no Workflow
        **_SCHEDULE,
        "startingDeadlineSeconds": "int64 0.. null",
        "concurrencyPolicy": "Forbid|Allow",
    },
    "WorkflowSpec": {"entry!": "str", "templates!": "[Template]"},
    "Template": {
        **EMBEDDED,
        "name!": "str",
        "templateType!": "str",
        "deadline": "duration",
        "children": "[str]",
        "conditionalBranches": "[Branch]",
        "task": "object",  # a pod's container and volumes
        "schedule": "TemplateSchedule",
        "statusCheck": "StatusCheck",
        "abortWithStatusCheck": "bool",
    },
    "Branch": {"target!": "str", "expression": "str"},
    "StatusCheck": {
        "type!": "HTTP =HTTP",
        "mode": "Synchronous|Continuous",
        "duration": "duration",
        "timeoutSeconds": "int 1.. =1",
        "intervalSeconds": "int 1.. =10",
        "failureThreshold": "int 1.. =3",
        "successThreshold": "int 1.. =1",
        "recordsHistoryLimit": "int 1..1000 =100",
        "http": "HTTPCheck",
    },
    "HTTPCheck": {
        "url!": "str",
        "method": "GET|POST =GET",
        "headers": "{[str]}",
        "body": "str",
        "criteria!": "Criteria",
    },
    "Criteria": {"statusCode!": "str"},
    # What its controllers write
    "ChaosStatus": {"conditions": "[Condition]", "experiment!": "Progress"},
    "NetworkStatus": {"conditions": "[Condition]", "experiment!": "Progress", "instances": "{int64}"},
    "StressStatus": {"conditions": "[Condition]", "experiment!": "Progress", "instances": "{StressInstance}"},
    "StressInstance": {"uid": "str", "startTime": "time", "memoryUid": "str", "memoryStartTime": "time"},
    "Condition": {"type!": "str", "status!": "str", "reason": "str"},
    "Progress": {"desiredPhase": "Run|Stop", "containerRecords": "[Record]"},
    "Record": {
        "id!": "str",
        "selectorKey!": "str",
        "phase!": "str",
        "injectedCount!": "int",
        "recoveredCount!": "int",
        "events": "[RecordEvent]",
    },
    "RecordEvent": {"type!": "str", "operation!": "str", "message": "str", "timestamp!": "time"},
    "ScheduleStatus": {"active": "[Reference] map-atomic", "time": "time null"},
    "Reference": {
        "apiVersion": "str",
        "kind": "str",
        "namespace": "str",
        "name": "str",
        "uid": "str",
        "resourceVersion": "str",
        "fieldPath": "str",
    },
    "WorkflowStatus": {
        "entryNode": "str",
        "startTime": "time",
        "endTime": "time",
        "conditions": "[WorkflowCondition]",
    },
    "WorkflowCondition": {"type!": "str", "status!": "str", "reason!": "str", "startTime": "time"},
}
