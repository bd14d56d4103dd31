/** @jsx jsx */
/** @jsxFrag Fragment */
// A Hono application with twenty middlewares.
import { Hono } from "hono";
import { basicAuth } from "hono/basic-auth";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { cache } from "hono/cache";
import { except, some } from "hono/combine";
import { compress } from "hono/compress";
import { contextStorage, getContext } from "hono/context-storage";
import { deleteCookie, getCookie, getSignedCookie, setCookie, setSignedCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { Fragment, jsx } from "hono/jsx";
import { jsxRenderer } from "hono/jsx-renderer";
import { jwt, sign } from "hono/jwt";
import { languageDetector } from "hono/language";
import { logger } from "hono/logger";
import { methodOverride } from "hono/method-override";
import { poweredBy } from "hono/powered-by";
import { prettyJSON } from "hono/pretty-json";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { stream, streamSSE, streamText } from "hono/streaming";
import { timeout } from "hono/timeout";
import { endTime, setMetric, startTime, timing } from "hono/timing";
import { trimTrailingSlash } from "hono/trailing-slash";
import { validator } from "hono/validator";
import { z } from "zod";

type Bindings = { KV: KVNamespace; SECRET: string };
const app = new Hono<{ Bindings: Bindings }>();

app.use(contextStorage());
app.use(logger());
app.use(poweredBy());
app.use(requestId({ generator: () => "made-id" }));
app.use(secureHeaders());
app.use(trimTrailingSlash());
app.use("/timed/*", timing({ total: false }));
app.use("/api/*", cors({ origin: ["https://app.example.com"], allowHeaders: ["X-Custom"], maxAge: 600, credentials: true }));
app.use("/forms/*", csrf());
app.use("/etag/*", etag());
app.use("/json/*", prettyJSON());
app.use("/basic/*", basicAuth({ username: "ann", password: "secret" }));
app.use("/bearer/*", bearerAuth({ token: "t0ken" }));
app.use("/jwt/*", (c, next) => jwt({ secret: c.env.SECRET, alg: "HS256" })(c, next));
app.use("/upload", bodyLimit({ maxSize: 20, onError: (c) => c.text("too large", 413) }));
app.use("/slow/*", timeout(20, new HTTPException(504, { message: "too slow" })));
app.use("/lang", languageDetector({ supportedLanguages: ["en", "de"], fallbackLanguage: "en" }));
app.use("/override", methodOverride({ app }));
app.use("/some/*", except("/some/open", some(bearerAuth({ token: "a" }), basicAuth({ username: "b", password: "c" }))));
app.use("/zipped", compress({ threshold: 1 }));
app.use("/cached/*", cache({ cacheName: "hono", cacheControl: "max-age=60", wait: true }));
app.use("/page/*", jsxRenderer(({ children, title }) => <html><head><title>{title}</title></head><body>{children}</body></html>));

app.get("/", (c) => c.text("root"));
app.get("/context", async (c) => {
  const path = async () => {
    await Promise.resolve();
    return new URL(getContext().req.url).pathname;
  };
  return c.json({ path: await path(), id: c.get("requestId") });
});
app.get("/timed/x", async (c) => {
  startTime(c, "db");
  endTime(c, "db");
  setMetric(c, "region", "eu");
  return c.text("timed");
});
app.all("/api/echo/:name{[a-z]+}", async (c) => c.json({ name: c.req.param("name"), query: c.req.queries(), body: await c.req.text() }));
app.post("/forms/x", async (c) => {
  const form = await c.req.parseBody({ all: true });
  const file = form.file;
  return c.json({ name: form.name, file: file instanceof File ? [file.name, file.size, await file.text()] : null });
});
app.get("/etag/x", (c) => c.text("the same"));
app.get("/json/x", (c) => c.json({ a: [1, { b: null }] }));
app.get("/basic/x", (c) => c.text("in"));
app.get("/bearer/x", (c) => c.text("in"));
app.get("/jwt/x", (c) => c.json(c.get("jwtPayload")));
app.get("/token", async (c) => c.text(await sign({ sub: "ann", exp: 4102444800 }, c.env.SECRET)));
app.post("/upload", async (c) => c.text(`${(await c.req.arrayBuffer()).byteLength}`));
app.get("/slow/x", async (c) => {
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  return c.text("late");
});
app.get("/lang", (c) => c.text(c.get("language")));
app.delete("/override", (c) => c.text("deleted"));
app.get("/some/*", (c) => c.text("some"));
app.get("/zipped", (c) => c.text("zip ".repeat(300)));
app.get("/cached/x", (c) => c.text("cached"));
app.get("/page/:name", (c) => c.render(<><h1>Hello {c.req.param("name")}</h1><ul>{[1, 2].map((n) => <li key={n}>{n}</li>)}</ul></>, { title: "A & B" }));
app.get("/cookies", async (c) => {
  setCookie(c, "plain", "é v", { path: "/", maxAge: 60, sameSite: "Lax" });
  await setSignedCookie(c, "signed", "value", c.env.SECRET);
  deleteCookie(c, "old");
  return c.json({ all: getCookie(c), signed: await getSignedCookie(c, c.env.SECRET, "signed") });
});
app.get("/stream", (c) => stream(c, async (out) => {
  await out.write(new Uint8Array([104, 105]));
  await out.sleep(5);
  await out.write("!");
}));
app.get("/text", (c) => streamText(c, async (out) => {
  for (let n = 0; n < 3; n++) await out.writeln(String(n));
}));
app.get("/sse", (c) => streamSSE(c, async (out) => {
  for (let n = 0; n < 2; n++) await out.writeSSE({ data: `line ${n}\nmore`, event: "tick", id: String(n) });
}));
app.post("/zod", validator("json", (value, c) => {
  const parsed = z.object({ email: z.string().email(), age: z.number().int().min(18) }).safeParse(value);
  return parsed.success ? parsed.data : c.json(parsed.error.issues.map((issue) => [issue.path.join("."), issue.message]), 400);
}), (c) => c.json(c.req.valid("json")));
app.put("/kv/:key", async (c) => {
  await c.env.KV.put(c.req.param("key"), await c.req.text(), { metadata: { by: "hono" } });
  return c.body(null, 204);
});
app.get("/kv/:key", async (c) => c.json(await c.env.KV.getWithMetadata(c.req.param("key"))));
app.get("/redirect", (c) => c.redirect("/", 301));
app.get("/proxy", (c) => fetch("http://origin.test/from-hono", { headers: { "X-Ray": c.req.header("cf-ray") ?? "none" } }));
app.get("/html", async () => new HTMLRewriter().on("a", {
  element(element) { element.setAttribute("rel", "noopener"); },
}).transform(new Response('<a href="/x">x</a>', { headers: { "Content-Type": "text/html" } })));
app.get("/money", (c) => c.text([
  new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" }).format(1234.5), (1234567.891).toLocaleString(),
  new Date(0).toLocaleDateString("en-US", { timeZone: "UTC", year: "numeric", month: "long", day: "numeric" }),
].join("|")));
app.get("/wait", (c) => {
  c.executionCtx.waitUntil(c.env.KV.put("waited", "yes"));
  return c.text("ok");
});
app.get("/throw", () => { throw new HTTPException(418, { message: "teapot" }); });
app.get("/error", () => { throw new TypeError("broken"); });
app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text(`${error.name}: ${error.message}`, 500)));
app.notFound((c) => c.text(`no ${c.req.method} ${c.req.path}`, 404));

export default app;
