#!/usr/bin/env bash
# Makes localhost/stand-in, a base image of the Debian packages that are installed here: Python and what it needs.
#   stand-in.sh SCRATCH BUILDAH-OPTION...
set -euo pipefail

scratch=$1
shift
wanted=(python3.11-venv python3.11 bash dash coreutils grep sed findutils base-files ca-certificates libc-bin libstdc++6)
for tool in dpkg-query apt-cache; do command -v "$tool" >/dev/null || exit 1; done
dpkg-query --status "${wanted[@]}" >/dev/null 2>&1 || exit 1

packages=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "${wanted[@]}" | grep -E '^[a-z0-9]' | cut -d : -f 1 | sort -u)
# Every path by the folder that it really is in: /bin is a link to /usr/bin here.
for package in $packages; do
    dpkg-query --listfiles "$package" 2>/dev/null || true
done | sort -u | while read -r path; do
    [ ! -e "$path" ] || [ -d "$path" ] && [ ! -L "$path" ] || echo "$(realpath "$(dirname "$path")")/$(basename "$path")"
done | sed 's#^//#/#' | grep -vE '^/(bin|sbin|lib|lib64|usr/share/(doc|man|locale|info)/.*)$' | sort -u >"$scratch/files"

mkdir "$scratch/tree"
sed --in-place 's#^/##' "$scratch/files"
tar --create --no-recursion --directory / --files-from "$scratch/files" | tar --extract --directory "$scratch/tree"
for link in bin sbin lib lib64; do
    mkdir -p "$scratch/tree/usr/$link"
    ln -s "usr/$link" "$scratch/tree/$link"
done
mkdir -p "$scratch/tree"/{etc/ssl/certs,proc,sys,dev,run,srv,usr/local/bin,var/tmp}
mkdir -p -m 1777 "$scratch/tree/tmp"
cp -L /etc/ssl/certs/ca-certificates.crt "$scratch/tree/etc/ssl/certs/"
cp -L /etc/ld.so.cache "$scratch/tree/etc/"
[ -e "$scratch/tree/usr/bin/sh" ] || ln -s dash "$scratch/tree/usr/bin/sh"
ln -s /usr/bin/python3.11 "$scratch/tree/usr/local/bin/python"

container=$(buildah "$@" from scratch)
buildah "$@" add --quiet "$container" "$scratch/tree" / >/dev/null
buildah "$@" config --env PATH=/usr/local/bin:/usr/bin:/bin "$container"
buildah "$@" commit --quiet "$container" localhost/stand-in >/dev/null
buildah "$@" rm "$container" >/dev/null
rm -rf "$scratch/tree"
