// What actions/github-script does with a script, by the clients it is made of: runs it with github, context and core.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const own = createRequire(import.meta.url);
const core = own("@actions/core");
const { context, getOctokit } = own("@actions/github");
const AsyncFunction = (async () => {}).constructor;

function required(name) {
  // A relative name counts from the workspace, as in the action.
  return own(name.startsWith(".") ? resolve(name) : name);
}

try {
  const github = getOctokit(core.getInput("github-token", { required: true }));
  const script = core.getInput("script", { required: true });
  const result = await new AsyncFunction("github", "context", "core", "require", script)(github, context, core, required);
  core.setOutput("result", JSON.stringify(result));
} catch (error) {
  core.setFailed(`Unhandled error: ${error.stack ?? error}`);
}
