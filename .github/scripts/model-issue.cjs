// Opens the one issue about the model in prod, or brings it up to date: what happened, the evidence, three choices.
const { existsSync, readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const LABEL = "model-in-prod";
const LONGEST = 50000; // characters of evidence; GitHub takes 65,536 in all

function happened({ MONITOR, PROD }) {
  if (MONITOR === "failure") return "The model in prod could not be watched";
  if (PROD === "failure") return "Retraining in prod was refused or failed";
  if (PROD === "success") return "The model in prod drifted and was trained again";
  return "The model in prod drifts";
}

function evidence(folder) {
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".md")) : [];
  if (!files.length) return "The run left no evidence; its log says why.";
  return files.sort().map((name) => readFileSync(join(folder, name), "utf8")).join("\n\n").slice(0, LONGEST);
}

function text({ title, run, found }) {
  return `**${title}.** [The run](${run}) has the log.

## Evidence
${found}

## Three choices
- [ ] **Tune**: the settings no longer fit. Change \`level2_cicd/environments.toml\` or the model's settings in a pull
  request; its check shows the effect beside main.
- [ ] **Roll back**: the model before was better. Run the workflow \`rollback\`, with the reason; the ledger keeps who,
  when and why.
- [ ] **Retrain**: the data moved, the recipe holds. Run the workflow \`retrain\`, with the reason.
`;
}

async function open({ github, context }) {
  const issues = await github.paginate(github.rest.issues.listForRepo, {
    ...context.repo,
    labels: LABEL,
    state: "open",
  });
  return issues.find((each) => !each.pull_request);
}

module.exports = async ({ github, context, core }) => {
  const run = `${context.serverUrl}/${context.repo.owner}/${context.repo.repo}/actions/runs/${context.runId}`;
  const title = happened(process.env);
  const body = text({ title, run, found: evidence(process.env.EVIDENCE) });
  const issue = await open({ github, context });
  if (!issue) {
    const { data } = await github.rest.issues.create({ ...context.repo, title, body, labels: [LABEL] });
    core.notice(`Opened issue ${data.number}: ${title}`);
    return;
  }
  const issue_number = issue.number;
  await github.rest.issues.update({ ...context.repo, issue_number, title, body });
  const again = `${title}, in [another run](${run}). The text above has the newest evidence.`;
  await github.rest.issues.createComment({ ...context.repo, issue_number, body: again });
  core.notice(`Brought issue ${issue_number} up to date: ${title}`);
};
