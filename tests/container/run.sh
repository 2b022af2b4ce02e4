#!/usr/bin/env bash
# Builds the serving image and asks a container of it for a forecast, without an engine and without root's services:
# buildah with chroot isolation. Where the registry cannot be reached, this Debian's own packages stand in for the base
# image, and that is said.
#   run.sh PACKAGE STORE     folder of a package (make level2-package), folder of a store with a release
# Exit codes: 0 built, run and answered; 5 the base image cannot be had; 7 done, but on the stand-in base; 64 wrong
# usage; 69 buildah is not here, nothing was done; anything else: it failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
file=$root/level2_cicd/deploy/Dockerfile

say() { echo "container-test: $*"; }
end() {
    say "$2"
    exit "$1"
}

command -v buildah >/dev/null || end 69 "not run: buildah is not installed; make system-deps"
[ $# = 2 ] && [ -f "$1/SHA256SUMS" ] && [ -f "$2/current.json" ] ||
    end 64 "expected the folders of a package and of a store with a release; got: $*"
package=$(cd "$1" && pwd) store=$(cd "$2" && pwd)

# Storage of its own: neither this machine's images nor its settings are touched.
scratch=$(mktemp -d)
tree=("--root=$scratch/root" "--runroot=$scratch/run" "--storage-driver=vfs")
container=''
cleanup() {
    [ -z "$container" ] || buildah "${tree[@]}" rm "$container" >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap cleanup EXIT

base=$(awk '$1 == "FROM" && $NF == "base" {print $2}' "$file")
options=() stands_in=''
if ! timeout 120 buildah "${tree[@]}" pull --quiet "$base" >/dev/null 2>"$scratch/pull.log"; then
    say "the base $base cannot be had: $(tail -n 1 "$scratch/pull.log" | cut -c 1-200)"
    "$here/stand-in.sh" "$scratch" "${tree[@]}" || end 5 "not run: no base image, and nothing here to stand in for it"
    options+=("--build-context" "$base=container-image://localhost/stand-in")
    stands_in=yes
    say "this Debian's own Python stands in for it; what follows says nothing about the base image itself"
fi
pip_conf=${PIP_CONFIG_FILE:-/etc/pip.conf}
[ ! -f "$pip_conf" ] || options+=("--secret=id=pip,src=$pip_conf")
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || options+=("--secret=id=ca,src=/etc/ssl/certs/ca-certificates.crt")
for place in ${CONTAINER_VOLUMES:-}; do # folders that pip.conf names
    options+=("--volume=$place:$place:ro")
done

say "building"
buildah "${tree[@]}" build --quiet --isolation chroot --pull=never --layers=false --format docker --target serve \
    --tag localhost/demand-serve "${options[@]}" --file "$file" "$package" >/dev/null
container=$(buildah "${tree[@]}" from --pull=never localhost/demand-serve)
"$here/look.sh" "$store" "$container" "${tree[@]}"
[ -z "$stands_in" ] || end 7 "built, ran and answered on the stand-in base; the base image itself was not tried"
say "built, ran and answered"
