#!/usr/bin/env bash
# Make .venv with the given Python; Debian keeps what that needs in a package of its own.
# Exit 4 with what to do when it is missing and cannot be installed.
set -eu
python=$1

"$python" scripts/check_python.py
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "installing python3-venv" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  else
    {
      echo "maestro: error: $python cannot make virtual environments"
      echo "  why: its modules venv and ensurepip are not installed"
      echo "  fix: apt-get install python3-venv"
    } >&2
    exit 4
  fi
fi
# One that was left half made would pass for a whole one the next time.
"$python" -m venv .venv || { rm -rf .venv; exit 4; }
