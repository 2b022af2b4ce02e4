// Sets run-id, artifact-id and commit to those of the newest artifact named by ARTIFACT that may be trusted. Where
// there is none it sets nothing, and fails if REQUIRED is set. A name alone proves nothing: a pull request can change a workflow and upload an artifact of any name. So
// it has to come from this repository, and from the workflow, event and branch that write it.
const RELEASE = { workflow: "release.yml", events: ["push"], branch: /^release\// };
const MAIN = { workflow: "main.yml", events: ["push"], branch: /^main$/ };
const RETRAIN = {
  workflow: "retrain.yml",
  events: ["schedule", "repository_dispatch", "workflow_dispatch"],
  branch: /^main$/,
};
const ROLLBACK = { workflow: "rollback.yml", events: ["workflow_dispatch"], branch: /^main$/ };

// A store is taken over from a refused or broken run as well: the refusal is in its ledger, and a run that was cut
// off is resumed. A package counts as released when its release succeeded.
const WRITERS = {
  "level2-measurements": { from: [MAIN] },
  "level2-package": { from: [RELEASE], conclusion: "success" },
  "level2-store-dev": { from: [MAIN] },
  "level2-store-prod": { from: [RELEASE, RETRAIN, ROLLBACK] },
};

function writes(run, { from, conclusion }) {
  const path = run.path.split("@")[0];
  return (
    (conclusion === undefined || run.conclusion === conclusion) &&
    from.some(
      ({ workflow, events, branch }) =>
        path === `.github/workflows/${workflow}` && events.includes(run.event) && branch.test(run.head_branch ?? ""),
    )
  );
}

module.exports = async ({ github, context, core }) => {
  const name = process.env.ARTIFACT;
  const writers = WRITERS[name];
  if (!writers) {
    throw new Error(`ARTIFACT: expected one of ${Object.keys(WRITERS).join(", ")}; got ${name}.`);
  }
  const pages = github.paginate.iterator(github.rest.actions.listArtifactsForRepo, {
    ...context.repo,
    name,
    per_page: 100,
  });
  for await (const { data: artifacts } of pages) {
    for (const artifact of artifacts) {
      const { id, head_repository_id, repository_id } = artifact.workflow_run;
      if (artifact.expired || head_repository_id !== repository_id) continue;
      const { data: run } = await github.rest.actions.getWorkflowRun({ ...context.repo, run_id: id });
      if (!writes(run, writers)) continue;
      core.info(`${name}: artifact ${artifact.id} of run ${id} (${run.path}, ${run.head_branch}, ${run.head_sha})`);
      core.setOutput("run-id", String(id));
      core.setOutput("artifact-id", String(artifact.id));
      core.setOutput("commit", run.head_sha);
      return;
    }
  }
  if (process.env.REQUIRED) throw new Error(`${name}: expected one of an earlier run; there is none. Release first.`);
  core.info(`${name}: there is none yet`);
};
