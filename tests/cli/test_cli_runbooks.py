"""`maestro runbook` as a script drives it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import maestro

ASK = """# Ship it

```ask {id=keep choices=keep,drop capture=WORD}
Keep the release?
```

```sh {id=tell}
echo "$WORD" > told
```
"""


def test_a_run_waits_with_17_and_goes_on_after_its_answer(configured: Path, tmp_path: Path) -> None:
    book = tmp_path / "ship.md"
    book.write_text(ASK)
    started = maestro("runbook", "run", str(book), "-o", "json")
    assert started.code == 17, started.err
    run = json.loads(started.out)
    assert (run["status"], run["waiting_for"]) == ("waiting", "keep")
    wrong = maestro("runbook", "answer", run["id"], "keep", "kep")
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean 'keep'" in wrong.err
    answered = maestro("runbook", "answer", run["id"], "keep", "drop", "-o", "json")
    assert answered.code == 0, answered.err
    assert f"go on with: maestro runbook resume {run['id']}" in answered.err
    resumed = maestro("runbook", "resume", run["id"], "-o", "json")
    assert (resumed.code, json.loads(resumed.out)["status"]) == (0, "succeeded")
    assert (tmp_path / "told").read_text() == "drop\n"
    assert maestro("runbook", "approve", run["id"], "keep").code == 2


def test_a_waiting_run_is_cancelled_and_a_changed_file_taken_only_when_asked(
    configured: Path, tmp_path: Path
) -> None:
    book = tmp_path / "ship.md"
    book.write_text(ASK)
    run = json.loads(maestro("runbook", "run", str(book), "-o", "json").out)["id"]
    assert maestro("runbook", "pause", run).code == 2
    cancelled = maestro("runbook", "cancel", run, "-o", "json")
    assert (cancelled.code, json.loads(cancelled.out)["status"]) == (0, "cancelled")
    assert maestro("runbook", "cancel", run).code == 2
    book.write_text(ASK.replace("> told", ">> told"))
    refused = maestro("runbook", "resume", run)
    assert refused.code == 11
    assert f"resume --rebase {run}" in refused.err
    resumed = maestro("runbook", "resume", "--rebase", run, "-o", "json")
    assert (resumed.code, json.loads(resumed.out)["waiting_for"]) == (17, "keep")
