"""Have the real Sloth write the rules of every case that tests compare ours with.

    python -m tests.peers.sloth.write_rules [SLOTH]

Without its path Sloth is looked for where tests do: MAESTRO_SLOTH_BINARY, then the cache folder. Build it:

    cd tests/peers/sloth && go build -o ~/.cache/maestro/peers/sloth-v0.16.0 github.com/slok/sloth/cmd/sloth
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.contract.slo.sloth.cases import cases
from tests.contract.slo.sloth.program import RULES, found_program, written_by


def main(words: list[str]) -> int:
    program = Path(words[0]) if words else found_program()
    if program is None:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    rules = {case.name: written_by(program, case) for case in cases()}
    lines = (f"{json.dumps(name)}: {json.dumps(one, sort_keys=True)}" for name, one in rules.items())
    RULES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
