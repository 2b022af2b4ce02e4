#!/usr/bin/env bash
# Verifies a package before anything of it is run; needs no environment.
#   verify-package.sh digest        its files against their list, and the list against PACKAGE_DIGEST
#   verify-package.sh attestation   who built it, by GitHub's attestations, and then the same
# PACKAGE_DIR [dist/level2]; for attestation: GH_TOKEN, GITHUB_REPOSITORY, SIGNER_WORKFLOW (file name of the workflow
# that may have built it); PACKAGE_DIGEST may then be empty, for the attestation vouches for the list.
# Writes digest=... to GITHUB_OUTPUT where that is set. Exit codes: 0 verified, 4 not what was built, 64 wrong usage.
set -euo pipefail

folder=${PACKAGE_DIR:-dist/level2}
list=SHA256SUMS

end() {
    echo "$2" >&2
    exit "$1"
}

attested() {
    gh attestation verify "$@" --repo "$GITHUB_REPOSITORY" --deny-self-hosted-runners \
        --signer-workflow "$GITHUB_REPOSITORY/.github/workflows/$SIGNER_WORKFLOW" ||
        end 4 "$1: expected an attestation by $SIGNER_WORKFLOW of $GITHUB_REPOSITORY; got none. Build the package again there."
}

who_built_it() {
    for name in GH_TOKEN GITHUB_REPOSITORY SIGNER_WORKFLOW; do
        [ -n "${!name:-}" ] || end 64 "$name: expected a value in the environment; got none."
    done
    attested "$folder/$list"
    local wheel
    for wheel in "$folder"/*.whl; do
        attested "$wheel"
        attested "$wheel" --predicate-type https://cyclonedx.org/bom
    done
}

[ -f "$folder/$list" ] || end 64 "$folder: expected a package with its $list; got none."
case "${1:-}" in
digest) [ -n "${PACKAGE_DIGEST:-}" ] || end 64 "PACKAGE_DIGEST: expected the digest that the build handed on; got none." ;;
attestation) who_built_it ;;
*) end 64 "expected digest or attestation; got '${1:-}'." ;;
esac

digest=$(sha256sum "$folder/$list" | cut -d ' ' -f 1)
[ "${PACKAGE_DIGEST:-$digest}" = "$digest" ] ||
    end 4 "$folder/$list: expected the package with digest $PACKAGE_DIGEST; got $digest. Fetch or build it again."
(cd "$folder" && sha256sum --check --strict --quiet "$list") ||
    end 4 "$folder: expected the files that $list lists; got other bytes. Fetch or build the package again."
[ -z "${GITHUB_OUTPUT:-}" ] || echo "digest=$digest" >>"$GITHUB_OUTPUT"
echo "package ${digest:0:12}: verified ($1)"
