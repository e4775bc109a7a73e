"""Stop with a plain line when this Python is too old for maestro."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is for the interpreters that are too old
    sys.stderr.write("maestro needs Python 3.11 or newer; set PYTHON=python3.11 for make\n")
    sys.exit(4)
