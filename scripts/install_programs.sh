#!/usr/bin/env bash
# Install prometheus and alertmanager if they are missing, and stop the services their packages start.
# Exit 4 with what to do when neither apt (as root) nor brew can.
set -eu

have_prometheus() { command -v prometheus >/dev/null 2>&1; }
have_alertmanager() { command -v prometheus-alertmanager >/dev/null 2>&1 || command -v alertmanager >/dev/null 2>&1; }

if have_prometheus && have_alertmanager; then
  exit 0
fi

if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "installing prometheus and prometheus-alertmanager" >&2
  # Packages may not start their services while policy-rc.d says 101; it is taken away again below.
  guard=/usr/sbin/policy-rc.d
  made_guard=no
  if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$guard"
    chmod +x "$guard"
    made_guard=yes
  fi
  trap '[ "$made_guard" = no ] || rm -f "$guard"' EXIT
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends prometheus prometheus-alertmanager >/dev/null
  for service in prometheus prometheus-alertmanager prometheus-node-exporter; do
    if command -v systemctl >/dev/null 2>&1 && systemctl is-active --quiet "$service" 2>/dev/null; then
      systemctl disable --now --quiet "$service" || true
    elif command -v service >/dev/null 2>&1; then
      service "$service" stop >/dev/null 2>&1 || true
    fi
  done
elif command -v brew >/dev/null 2>&1; then
  brew install --quiet prometheus alertmanager
  for service in prometheus alertmanager; do
    brew services stop --quiet "$service" >/dev/null 2>&1 || true
  done
fi

if ! have_prometheus || ! have_alertmanager; then
  {
    echo "maestro: error: prometheus and alertmanager are not installed"
    echo "  why: the embedded platform runs the real programs, and this user cannot install them"
    echo "  fix: apt-get install prometheus prometheus-alertmanager, or brew install prometheus alertmanager"
  } >&2
  exit 4
fi
