// "node:stream/promises".
import { addBuiltins } from "edgeworker:builtins";
import { promises } from "node:stream";
export const { finished, pipeline } = promises;
addBuiltins({ "stream/promises": promises });
export default promises;
