// Sets approver and reason to those of the review that let this run into ENVIRONMENT, for the ledger. Without a
// required reviewer nobody approved but the one who started the run.
module.exports = async ({ github, context, core }) => {
  const environment = process.env.ENVIRONMENT;
  const { data: reviews } = await github.rest.actions.getReviewsForRun({ ...context.repo, run_id: context.runId });
  const review = reviews
    .filter(({ state, environments }) => state === "approved" && environments.some(({ name }) => name === environment))
    .at(-1);
  const asked = process.env.REASON || `${context.eventName} of ${context.sha.slice(0, 12)}`;
  core.setOutput("approver", review?.user.login ?? context.actor);
  core.setOutput("reason", [asked, review?.comment].filter(Boolean).join(": "));
};
