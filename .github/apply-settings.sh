#!/usr/bin/env bash
# Applies .github/rulesets and .github/environments to the repository of this checkout, as often as you like. Needs gh,
# logged in as an administrator, and jq.
#   REVIEWERS  who approves for prod: an account, or ORGANISATION/TEAM
# Exit codes: 0 applied, 5 GitHub does not do its part, 64 wrong usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

end() {
    echo "$2" >&2
    exit "$1"
}
[ -n "${REVIEWERS:-}" ] || end 64 "REVIEWERS: expected an account or ORGANISATION/TEAM; got nothing."
for tool in gh jq; do command -v "$tool" >/dev/null || end 64 "$tool: expected it to be installed; it is not."; done

case $REVIEWERS in
*/*) kind=Team path=orgs/${REVIEWERS%%/*}/teams/${REVIEWERS#*/} ;;
*) kind=User path=users/$REVIEWERS ;;
esac
reviewer=$(gh api "$path" --jq .id) || end 5 "$REVIEWERS: expected an account or team; GitHub knows none."

for file in rulesets/*.json; do
    name=$(jq -r .name "$file")
    id=$(gh api "repos/{owner}/{repo}/rulesets" --jq ".[] | select(.name == \"$name\") | .id")
    if [ -n "$id" ]; then method=PUT; else method=POST; fi
    gh api --silent --method "$method" "repos/{owner}/{repo}/rulesets${id:+/$id}" --input "$file"
    echo "ruleset $name: applied"
done

for file in environments/*.json; do
    name=$(basename "$file" .json)
    jq --argjson id "$reviewer" --arg kind "$kind" \
        '.settings + {reviewers: (if .reviewed then [{type: $kind, id: $id}] else [] end)}' "$file" |
        gh api --silent --method PUT "repos/{owner}/{repo}/environments/$name" --input -
    there=$(gh api "repos/{owner}/{repo}/environments/$name/deployment-branch-policies" --jq '.branch_policies[].name')
    jq -r '.branches[]' "$file" | while read -r branch; do
        grep -qxF "$branch" <<<"$there" || gh api --silent --method POST \
            "repos/{owner}/{repo}/environments/$name/deployment-branch-policies" -f "name=$branch"
    done
    echo "environment $name: applied"
done

gh api --silent --method PUT "repos/{owner}/{repo}/actions/permissions/workflow" \
    -f default_workflow_permissions=read -F can_approve_pull_request_reviews=false
echo "tokens of workflows: may read, unless a job says otherwise"
