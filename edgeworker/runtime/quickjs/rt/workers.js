// The module "cloudflare:workers".
import { currentContext } from "edgeworker:context";
import { environment } from "edgeworker:context";

export class WorkerEntrypoint {
  constructor(ctx, env) {
    this.ctx = ctx;
    this.env = env;
  }
}
export class RpcTarget {}
const refused = (name) => class {
  constructor() {
    throw new Error(`${name} is not in the embedded JavaScript engine; run the worker in workerd: npm install --save-dev wrangler in the project, or javascript.engine = "workerd".`);
  }
};
export const DurableObject = refused("DurableObject");
export const WorkflowEntrypoint = refused("WorkflowEntrypoint");
export const env = environment;
export const exports = new Proxy({}, { get: (_, name) => currentContext().exports[name], has: (_, name) => name in currentContext().exports, ownKeys: () => Reflect.ownKeys(currentContext().exports) });
export const waitUntil = (promise) => currentContext().waitUntil(promise);
