#!/bin/sh
# Tells what a change of manifests costs a month, and ends as `maestro cost gate` does.
#
# All that it is told comes through the environment, and is data: no word of it is run, matched or split.
#   MAESTRO_COST_BASE, MAESTRO_COST_HEAD   the same file or folder before and after the change; a base that is not
#                                          there is nothing, as a change that adds it has it
#   MAESTRO_COST_GONE                      1 where the change deletes it: a head that is not there is nothing then,
#                                          and else a mistake (6)
#   MAESTRO_COST_PRICES                    a file of prices; by default that of the context
#   MAESTRO_COST_MAX_INCREASE, MAESTRO_COST_BUDGET, MAESTRO_COST_FAIL_ON   as the options of the command
#   MAESTRO_COST_NODES, MAESTRO_COST_JOB_HOURS     what no manifest says of DaemonSets and of jobs
#   MAESTRO_COST_IGNORE_UNKNOWN            kinds and resources behind commas that are known to cost nothing
#   MAESTRO_COST_OUT                       the folder of the comment and the report (cost-evidence)
set -euf

set -- --out "${MAESTRO_COST_OUT:-cost-evidence}"
[ -z "${MAESTRO_COST_PRICES:-}" ] || set -- "$@" --prices "$MAESTRO_COST_PRICES"
[ -z "${MAESTRO_COST_MAX_INCREASE:-}" ] || set -- "$@" --max-increase "$MAESTRO_COST_MAX_INCREASE"
[ -z "${MAESTRO_COST_BUDGET:-}" ] || set -- "$@" --budget "$MAESTRO_COST_BUDGET"
[ -z "${MAESTRO_COST_FAIL_ON:-}" ] || set -- "$@" --fail-on "$MAESTRO_COST_FAIL_ON"
[ -z "${MAESTRO_COST_NODES:-}" ] || set -- "$@" --nodes "$MAESTRO_COST_NODES"
[ -z "${MAESTRO_COST_JOB_HOURS:-}" ] || set -- "$@" --job-hours "$MAESTRO_COST_JOB_HOURS"
[ -z "${MAESTRO_COST_IGNORE_UNKNOWN:-}" ] || set -- "$@" --ignore-unknown "$MAESTRO_COST_IGNORE_UNKNOWN"
if [ ! -e "$MAESTRO_COST_BASE" ]; then
  MAESTRO_COST_BASE=/dev/null
  echo "cost.sh: there was nothing before, so that all of it is new" >&2
elif [ ! -e "$MAESTRO_COST_HEAD" ]; then
  if [ "${MAESTRO_COST_GONE:-}" = 1 ]; then
    MAESTRO_COST_HEAD=/dev/null
    echo "cost.sh: nothing is left, so that all of it goes" >&2
  else
    echo "cost.sh: the head is not there; where the change deletes it, set MAESTRO_COST_GONE=1" >&2
  fi
fi
exec maestro cost gate "$@" --diff "$MAESTRO_COST_BASE" "$MAESTRO_COST_HEAD"
