#!/bin/sh
# Runs experiments as the gate of a pipeline, and sweeps after them, whatever happened.
#
# All that it is told comes through the environment, and is data: no word of it is run, matched or split.
#   MAESTRO_GATE_EXPERIMENTS  files, names, journals or runs, one a line
#   MAESTRO_GATE_OUT          the folder of the evidence (chaos-evidence)
#   MAESTRO_GATE_SEED, MAESTRO_GATE_FAIL_ON, MAESTRO_GATE_TIMEOUT   as the options of `maestro chaos gate`
#   MAESTRO_CONTEXT           the context, which has to allow experiments
# It ends as `maestro chaos gate` does, or with 13 when the sweep leaves something.
set -euf

set -- --yes --out "${MAESTRO_GATE_OUT:-chaos-evidence}"
[ -z "${MAESTRO_GATE_SEED:-}" ] || set -- "$@" --seed "$MAESTRO_GATE_SEED"
[ -z "${MAESTRO_GATE_FAIL_ON:-}" ] || set -- "$@" --fail-on "$MAESTRO_GATE_FAIL_ON"
[ -z "${MAESTRO_GATE_TIMEOUT:-}" ] || set -- "$@" --timeout "$MAESTRO_GATE_TIMEOUT"
set -- "$@" --
IFS='
'
for one in ${MAESTRO_GATE_EXPERIMENTS:-}; do
    set -- "$@" "$one"
done
unset IFS

# A shell that is told to stop waits for no child: pass it on, and wait for the undo.
maestro chaos gate "$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || true' INT TERM
code=0
wait "$child" || code=$?
while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
done
trap - INT TERM

swept=0
maestro chaos sweep || swept=$?
if [ "$swept" -eq 13 ] || [ "$code" -eq 0 ]; then
    code=$swept
fi
exit "$code"
