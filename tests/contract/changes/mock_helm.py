"""A MOCK of the `helm` program: `rollback` alone, for where the real one is not installed.

It writes real release secrets and the objects of the manifest with kubectl, in the order and with the
statuses of helm.sh/helm/v3 pkg/action/rollback.go; no hooks, no three-way merge, no pruning. Run as
`mock_helm.py KUBECTL rollback NAME REVISION --wait --timeout 60s --namespace NS --kubeconfig FILE`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

from tests.unit.sources.helm_records import packed, record_of, secret


class Release:
    """The release of one name, through kubectl."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._kubectl = [options.kubectl, "--kubeconfig", options.kubeconfig, "-n", options.namespace]

    def kubectl(self, *words: str, given: str = "") -> str:
        done = subprocess.run(
            [*self._kubectl, *words], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"Error: {done.stderr}")
        return done.stdout

    def history(self) -> list[dict[str, Any]]:
        found = self.kubectl("get", "secrets", "-l", f"owner=helm,name={self._options.name}", "-o", "json")
        return sorted(map(record_of, json.loads(found)["items"]), key=lambda one: int(one["version"]))

    def keep(self, release: dict[str, Any], verb: str) -> None:
        """One revision as its Secret; `create` fails where another helm was first."""
        status, data = release["info"]["status"], packed(json.dumps(release).encode())
        made = secret(release["name"], release["version"], status, data, self._options.namespace)
        del made["metadata"]["resourceVersion"]
        self.kubectl(verb, "-f", "-", given=json.dumps(made))

    def roll_back(self) -> None:
        history = self.history()
        goals = [one for one in history if one["version"] == self._options.revision]
        if not goals:
            raise SystemExit(f"Error: release has no {self._options.revision} version")
        if self._options.dry_run:
            return
        info = {**history[-1]["info"], "status": "pending-rollback",
                "description": f"Rollback to {self._options.revision}"}  # fmt: skip
        target = {**goals[0], "version": history[-1]["version"] + 1, "info": info}
        self.keep(target, "create")
        self.kubectl("apply", "--validate=false", "-f", "-", given=target["manifest"])
        name = f"deployment/{self._options.name}"
        self.kubectl("rollout", "status", name, f"--timeout={self._options.timeout}")
        for one in history:
            if one["info"]["status"] == "deployed":
                self.keep({**one, "info": {**one["info"], "status": "superseded"}}, "replace")
        self.keep({**target, "info": {**info, "status": "deployed"}}, "replace")


def main() -> None:
    parser = argparse.ArgumentParser()
    for word in ("kubectl", "command", "name"):
        parser.add_argument(word)
    parser.add_argument("revision", type=int)
    for flag in ("--timeout", "--namespace", "--kubeconfig"):
        parser.add_argument(flag, required=True)
    for flag in ("--wait", "--dry-run"):
        parser.add_argument(flag, action="store_true")
    Release(parser.parse_args(sys.argv[1:])).roll_back()


if __name__ == "__main__":
    main()
