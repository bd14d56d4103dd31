// A server of files in an S3 bucket: signed subrequests, ranges, conditions, and a page that lists a folder.
import { AwsClient } from "aws4fetch";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";

const Settings = z.object({ bucket: z.string().url(), region: z.string().default("auto"), key: z.string(), secret: z.string() });
type Bindings = { SETTINGS: unknown; LISTINGS: KVNamespace };
const app = new Hono<{ Bindings: Bindings }>();
const PASSED = ["range", "if-none-match", "if-modified-since", "if-match"];

app.get("/metrics", (c) => c.text("# TYPE requests counter\n"));
app.get("*", async (c, next) => {
  const { path } = c.req;
  if (!path.endsWith("/")) return next();
  const listing = await c.env.LISTINGS.get<{ name: string; size: number; changed: number }[]>(path, "json");
  if (listing === null) throw new HTTPException(404, { message: "Directory not found" });
  const rows = listing.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })).map(({ name, size, changed }) => {
    const shown = new Intl.NumberFormat("en", { style: "unit", unit: "kilobyte", maximumFractionDigits: 1 }).format(size / 1024);
    return `<a href="${encodeURIComponent(name)}">${name}</a> ${new Date(changed).toLocaleDateString("en", { dateStyle: "long", timeZone: "UTC" })} ${shown}`;
  });
  return c.html(`<pre>${rows.join("\n")}</pre>`);
});
app.on(["GET", "HEAD"], "*", async (c) => {
  const settings = Settings.parse(c.env.SETTINGS);
  const client = new AwsClient({ accessKeyId: settings.key, secretAccessKey: settings.secret, service: "s3", region: settings.region });
  const url = new URL(c.req.path.slice(1), settings.bucket);
  const fields = Object.fromEntries(PASSED.flatMap((name) => (c.req.header(name) ? [[name, c.req.header(name)!]] : [])));
  const signed = await client.sign(url, { method: c.req.method, headers: fields, aws: { datetime: "20260921T000000Z" } });
  const found = await fetch(signed);
  if (found.status === 404) throw new HTTPException(404, { message: "File not found" });
  const response = new Response(found.body, found);
  response.headers.set("Cache-Control", found.status === 206 ? "no-store" : "public, max-age=3600");
  return response;
});
app.onError((error) => (error instanceof HTTPException ? error.getResponse() : new Response(`${error.name}: ${error.message}`, { status: 500 })));
export default app;
