import { Hono } from "hono";
import { logger } from "hono/logger";

type Bindings = { NOTES: KVNamespace; GREETING: string };
const app = new Hono<{ Bindings: Bindings }>();

app.use(logger());

app.get("/", (c) => c.text(`${c.env.GREETING} ${c.req.query("name") ?? "world"}!`));

app.get("/notes/:id", async (c) => {
  const note = await c.env.NOTES.get(c.req.param("id"));
  return note === null ? c.notFound() : c.text(note);
});

app.put("/notes/:id", async (c) => {
  await c.env.NOTES.put(c.req.param("id"), await c.req.text());
  return c.body(null, 204);
});

export default app;
