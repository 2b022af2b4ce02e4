#!/usr/bin/env bash
# Watches the model that serves in an environment, and decides whether to train again.
# STORE [.store/level2/prod]; DATA, what was delivered [the folder in the store]; AS_OF, the day that counts as today
# [the last week delivered]; LEVEL2_ON_DEMAND, why to train again whatever the figures say [nothing]; PYTHON [.venv/bin/python].
# Leaves build/level2-monitor/evidence.md where there is a reason, and writes to GITHUB_OUTPUT, where that is set,
# drift=true|false (there is a reason) and retrain=true|false (and it is to be acted upon now).
# Exit codes: 0 decided, whichever way; those of level 1 otherwise.
set -euo pipefail

store=${STORE:-.store/level2/prod}
python=${PYTHON:-.venv/bin/python}
evidence=build/level2-monitor/evidence.md

data=${DATA:-}
if [ -z "$data" ]; then
    for data in "$store"/data/*/; do break; done
fi
[ -f "$data/manifest.json" ] || {
    echo "DATA: expected the folder of what was delivered, with its manifest.json; got '$data'." >&2
    exit 64
}
as_of=${AS_OF:-$(sed -n 's/.*"as_of": *"\([0-9-]*\)".*/\1/p' "$data/manifest.json")}
rm -rf "${evidence%/*}"
mkdir -p "${evidence%/*}"

code=0
"$python" -m level1_pipeline monitor --data "$data" --env-dir "$store" --as-of "$as_of" --quiet || code=$?
[ "$code" = 0 ] || [ "$code" = 7 ] || exit "$code" # 7: a region was refused, the others were looked at
code=0
"$python" -m level1_pipeline check --env-dir "$store" --as-of "$as_of" --issue "$evidence" \
    ${LEVEL2_ON_DEMAND:+--on-demand "$LEVEL2_ON_DEMAND"} || code=$?
case $code in
0) retrain=false ;;
10) retrain=true ;;
*) exit "$code" ;;
esac
if [ -f "$evidence" ]; then drift=true; else drift=false; fi
echo "watched as of $as_of: a reason $drift, retrain $retrain"
[ -z "${GITHUB_OUTPUT:-}" ] || printf 'drift=%s\nretrain=%s\n' "$drift" "$retrain" >>"$GITHUB_OUTPUT"
