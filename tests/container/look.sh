#!/usr/bin/env bash
# Runs a container of the serving image and looks at it: who it runs as, what is in it, whether it answers.
#   look.sh STORE CONTAINER BUILDAH-OPTION...
set -euo pipefail

store=$1 container=$2
shift 2
port=${CONTAINER_PORT:-18231}
say() { echo "container-test: $*"; }
inside() { buildah "$@" 2>&1; }

config=$(buildah "$@" inspect --type container --format '{{.Docker.Config.User}} {{.Docker.Config.Healthcheck.Test}}' "$container")
case $config in
"10001:10001 "*readyz*) say "runs as $config" ;;
*) say "expected user 10001:10001 and a health check; got $config" && exit 1 ;;
esac
run=(run --isolation chroot --volume "$store:/srv/store:ro" "$container" --)
[ "$(inside "$@" "${run[@]}" python -c 'import os; print(os.getuid())')" = 10001 ]
for name in torch sklearn mlflow pip; do
    ! inside "$@" "${run[@]}" python -c "import $name" >/dev/null || { say "$name is in the image" && exit 1; }
done
say "neither torch, scikit-learn, MLflow nor pip is in it"

log=$(mktemp)
buildah "$@" "${run[@]}" python -m level2_cicd.serving.run --store /srv/store --no-capture --port "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
probe="import sys, urllib.request as r; print(r.urlopen(f'http://127.0.0.1:$port{sys.argv[1]}', timeout=5).status)"
for _ in $(seq 60); do
    if python3 -c "$probe" /readyz >/dev/null 2>&1; then ready=yes && break; fi
    kill -0 "$server" 2>/dev/null || { cat "$log" && exit 1; }
    sleep 0.5
done
[ "${ready:-}" = yes ] || { say "not ready after 30 s:" && cat "$log" && exit 1; }
series=$(inside "$@" "${run[@]}" python -c "import pyarrow.parquet as p
row = p.read_table('/srv/store/forecasts.parquet', columns=['region', 'store_id', 'product_id'])[:1].to_pylist()[0]
print('/'.join(row.values()))")
for path in /livez /readyz /metrics "/v1/forecasts/$series"; do
    say "$path answers $(python3 -c "$probe" "$path")"
done
