"""Runs one experiment in the folder it is given, to be ended on the way: by signals as a command is."""

from __future__ import annotations

import sys
from pathlib import Path

from maestro_cli.cli.signals import Signals
from tests.contract.chaos.lab import Lab, data, experiment

if __name__ == "__main__":
    cancellation = Signals().cooperative()
    report = Lab(Path(sys.argv[1])).run(experiment(data(hold=float(sys.argv[2]))), cancellation=cancellation)
    sys.exit(int(report.judged.exit_code))
