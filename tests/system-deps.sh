#!/usr/bin/env bash
# Installs the system packages that some tests need; without them these tests are reported as not run, by name.
# On another system than Debian, or without the right to install, it says what is missing and ends with 0: every other
# test runs without them.
set -euo pipefail

declare -A package=([chromium]=chromium [promtool]=prometheus [wrk]=wrk [buildah]=buildah [node]=nodejs [npm]=npm [jq]=jq)
missing=()
for program in "${!package[@]}"; do
    command -v "$program" >/dev/null || missing+=("${package[$program]}")
done
if [ ${#missing[@]} = 0 ]; then
    echo "system-deps: Python is recent enough, and every system package is here."
    exit 0
fi

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo --non-interactive)
if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! sudo --non-interactive true 2>/dev/null; }; then
    echo "system-deps: not installed: ${missing[*]}. It takes Debian's apt-get and root or sudo; tests that need them will not be run."
    exit 0
fi
echo "system-deps: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
