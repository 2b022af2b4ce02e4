// GitHub's packages import JSON without saying so, as bundlers allow and node does not: let node read it all the same.
import { register } from "node:module";

register("./json-modules.mjs", import.meta.url);
