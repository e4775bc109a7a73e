"""Runs one experiment in the folder it is given, to be killed on the way."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.contract.chaos.lab import Lab, data, experiment

if __name__ == "__main__":
    Lab(Path(sys.argv[1])).run(experiment(data(hold=float(sys.argv[2]))))
