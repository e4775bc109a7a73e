"""A new runbook, to be filled in. Invariant: it can be read as it is, and lint finds no error in it."""

from __future__ import annotations

import os
from pathlib import Path

from maestro_cli.core.errors import ActionFailed, UsageError
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.attributes import is_name

_TEXT = """---
maestro: runbook/v1
id: {id}
alerts: [{alerts}]
params:
  NAMESPACE:
    from: label.namespace
    pattern: "[a-z0-9]([-a-z0-9]{{0,61}}[a-z0-9])?"
    description: the namespace of the deployment
  DEPLOY:
    from: label.deployment
    pattern: "[a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?"
    description: the deployment
lock: deploy/${{NAMESPACE}}/${{DEPLOY}}
---

# {title}

## Meaning

What the alert says, in one sentence.

## Impact

Who notices, and how much it costs them.

## Diagnosis

Make sure that it is still so; no data stops the run as well.

```promql {{id=still-so title="it is still so" expect="< 1" on_fail=stop}}
avg(up{{namespace="$NAMESPACE",deployment="$DEPLOY"}})
```

## Mitigation

```change {{id=mitigate title="restart it" needs=still-so approve}}
kind: restart
target: deploy/$DEPLOY
namespace: $NAMESPACE
reason: why this helps
```

## Verification

```kube {{verify=mitigate within=3m}}
target: deploy/$DEPLOY
namespace: $NAMESPACE
condition: rolled-out
```

## Escalation

Whom to call when that did not help, and what to tell them.
"""


def write_new(folder: Path, runbook: str, alert: str) -> Path:
    """Write `folder/RUNBOOK.md`; raises UsageError for a bad id, ActionFailed when a file is there."""
    if not is_name(runbook):
        raise UsageError(
            f"{visible(runbook, 60)!r} is not an id", fix="use letters, digits, '-' and '_', 63 at most"
        )
    if alert and not alert.replace("_", "").isalnum():
        raise UsageError(f"{visible(alert, 60)!r} is not an alert's name")
    title = runbook.replace("-", " ").replace("_", " ").capitalize()
    path = folder / f"{runbook}.md"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise ActionFailed(f"{path} is there", fix="choose another id, or edit it") from error
    except OSError as error:
        raise ActionFailed(f"{path} cannot be written", why=error.strerror or "") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(_TEXT.format(id=runbook, title=title, alerts=alert))
    return path
