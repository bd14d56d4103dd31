// A front of a large site, as such workers are: redirects and flags in KV, pages changed on their way, a log line for each request
// that knows its request by AsyncLocalStorage, errors reported after the answer, and a formatter made at the top level.
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { EventEmitter } from "node:events";
import { posix } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { inspect, promisify } from "node:util";

interface Env {
  CONFIG: KVNamespace;
  REPORTS: string;
}
const dates = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeZone: "UTC" });
const current = new AsyncLocalStorage<{ path: string; lines: string[] }>();
const log = (text: string) => current.getStore()?.lines.push(`${current.getStore()?.path}: ${text}`);
const bus = new EventEmitter();
bus.on("seen", (path: string) => log(`seen ${path}`));

class Flags {
  #known = new Map<string, unknown>();
  constructor(private readonly kv: KVNamespace) {}
  async get<T>(name: string, otherwise: T): Promise<T> {
    if (!this.#known.has(name)) this.#known.set(name, (await this.kv.get(`flag:${name}`, "json")) ?? otherwise);
    return this.#known.get(name) as T;
  }
}
class Title {
  element(element: Element) {
    element.setInnerContent(`News of ${dates.format(new Date(1_790_000_000_000))}`);
  }
}
const report = (env: Env, error: unknown) => fetch(env.REPORTS, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ message: error instanceof Error ? error.message : inspect(error), lines: current.getStore()?.lines }),
});
async function shout(text: string): Promise<string> {
  const pieces: Buffer[] = [];
  await pipeline(Readable.from([text.slice(0, 3), text.slice(3)]), new Transform({
    transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()),
  }), async (source: AsyncIterable<Buffer>) => {
    for await (const piece of source) pieces.push(Buffer.from(piece));
  });
  return Buffer.concat(pieces).toString("base64url");
}

async function answer(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  const url = new URL(request.url);
  bus.emit("seen", url.pathname);
  const target = await env.CONFIG.get(`redirect:${posix.normalize(url.pathname)}`);
  log("looked up");
  if (target !== null) return Response.redirect(new URL(target, url).href, 308);
  switch (url.pathname) {
    case "/shout":
      return new Response(await shout(url.searchParams.get("text") ?? ""));
    case "/later":
      await promisify((done: (error: null, value: number) => void) => setTimeout(() => done(null, 1), 3))();
      log("later");
      return Response.json(current.getStore());
    case "/fail":
      throw new Error("it failed");
    case "/cached": {
      const cache = caches.default;
      const found = await cache.match(request);
      if (found) return new Response(`${await found.text()} again`, found);
      const made = new Response("once", { headers: { "Cache-Control": "max-age=60" } });
      await cache.put(request, made.clone());
      return made;
    }
  }
  const page = await fetch(request);
  if (!(await new Flags(env.CONFIG).get("rewrite", false))) return page;
  const tag = `"${createHash("md5").update(url.pathname).digest("hex").slice(0, 8)}"`;
  if (request.headers.get("if-none-match") === tag) return new Response(null, { status: 304, headers: { ETag: tag } });
  const changed = new HTMLRewriter().on("title", new Title()).on("img:not([loading])", {
    element: (element) => void element.setAttribute("loading", "lazy"),
  }).transform(page);
  const headers = new Headers(changed.headers);
  headers.set("ETag", tag);
  headers.append("Set-Cookie", "a=1");
  headers.append("Set-Cookie", "b=2");
  return new Response(changed.body, { status: changed.status, headers });
}

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    return current.run({ path: new URL(request.url).pathname, lines: [] }, async () => {
      try {
        return await answer(request, env, ctx);
      } catch (error) {
        ctx.waitUntil(report(env, error));
        return new Response("Sorry", { status: 500 });
      }
    });
  },
} satisfies ExportedHandler<Env>;
