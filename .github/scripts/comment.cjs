// Writes the table in file TABLE as the pull request's one comment, in place of the one of the run before.
const { existsSync, readFileSync } = require("node:fs");

const MARK = "<!-- level2-table -->";
const LONGEST = 60000; // characters; GitHub takes 65,536

module.exports = async ({ github, context, core }) => {
  if (!existsSync(process.env.TABLE)) {
    core.info("There is no table: the check ended before it.");
    return;
  }
  const body = `${MARK}\n${readFileSync(process.env.TABLE, "utf8").slice(0, LONGEST)}`;
  const issue_number = context.payload.pull_request.number;
  const comments = await github.paginate(github.rest.issues.listComments, { ...context.repo, issue_number });
  const own = comments.find((each) => each.user?.type === "Bot" && each.body?.startsWith(MARK));
  if (own) {
    await github.rest.issues.updateComment({ ...context.repo, comment_id: own.id, body });
  } else {
    await github.rest.issues.createComment({ ...context.repo, issue_number, body });
  }
};
