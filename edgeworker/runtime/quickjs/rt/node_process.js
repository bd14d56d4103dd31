// "node:process".
import { addBuiltins, findBuiltin } from "edgeworker:builtins";
import { environment } from "edgeworker:context";
import assert from "node:assert";
import buffer from "node:buffer";
import crypto from "node:crypto";
import diagnosticsChannel from "node:diagnostics_channel";
import events from "node:events";
import path from "node:path";
import perfHooks from "node:perf_hooks";
import querystring from "node:querystring";
import stringDecoder from "node:string_decoder";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import url from "node:url";
import util from "node:util";
import utilTypes from "node:util/types";

addBuiltins({
  assert, buffer, crypto, diagnostics_channel: diagnosticsChannel, events, path, perf_hooks: perfHooks, querystring,
  string_decoder: stringDecoder, timers, "timers/promises": timersPromises, url, util, "util/types": utilTypes,
});
const process = Object.assign(Object.create(events.prototype), {
  env: new Proxy({}, {
    get: (target, name) => target[name] ?? (typeof environment[name] === "string" ? environment[name] : undefined),
    has: (target, name) => name in target || typeof environment[name] === "string",
  }),
  argv: ["workerd"], platform: "linux", arch: "x64", version: "v22.19.0", versions: { node: "22.19.0" }, pid: 1, title: "workerd",
  cwd: () => "/", uptime: () => performance.now() / 1000, nextTick: (work, ...values) => queueMicrotask(() => work(...values)),
  emitWarning: (text) => console.warn(text),
  hrtime: Object.assign(() => [Math.floor(Date.now() / 1000), 0], { bigint: () => BigInt(Date.now()) * 1000000n }),
  exit() { throw new Error("process.exit() ends no worker."); },
  getBuiltinModule(name) {
    const found = findBuiltin(String(name).replace(/^node:/, ""));
    if (found === undefined) {
      throw new Error(`The embedded JavaScript engine has no module "${name}"; run the worker in workerd: npm install --save-dev wrangler in the project, or javascript.engine = "workerd".`);
    }
    return found;
  },
});
addBuiltins({ process });
export const { env, argv, platform, arch, version, versions, cwd, nextTick, hrtime, getBuiltinModule, emitWarning } = process;
export default process;
