// Lists of things to do in KV, with worktop: its router, its KV helpers, its cookies and its cache.
import { Router, STATUS_CODES } from "worktop";
import * as cache from "worktop/cache";
import * as cookies from "worktop/cookie";
import * as cors from "worktop/cors";
import { SHA256 } from "worktop/crypto";
import { list, read, remove, write } from "worktop/kv";

const API = new Router();
API.prepare = cors.preflight({ maxage: 3600, origin: "https://app.example.com" });

API.add("GET", "/users/:name/todos", async (request, response) => {
  const found = [];
  for await (const page of list(TODOS, { prefix: `todos:${request.params.name}:`, limit: 2, metadata: true })) {
    found.push(...page.keys.map((key) => ({ id: key.name.split(":").at(-1), ...key.metadata })));
  }
  response.send(200, found);
});
API.add("POST", "/users/:name/todos", async (request, response) => {
  const input = await request.body();
  if (!input || !input.title) return response.send(422, { title: "is required" });
  const id = (await SHA256(input.title)).slice(0, 8);
  await write(TODOS, `todos:${request.params.name}:${id}`, { id, ...input }, { metadata: { title: input.title }, toJSON: true });
  response.send(201, { id, ...input }, { "Set-Cookie": cookies.stringify("last", id, { path: "/", httponly: true }) });
});
API.add("GET", "/users/:name/todos/:id", async (request, response) => {
  const { name, id } = request.params;
  const found = await read(TODOS, `todos:${name}:${id}`, "json");
  if (!found) return response.send(404, STATUS_CODES[404]);
  response.send(200, { ...found, seen: cookies.parse(request.headers.get("cookie") ?? "") });
});
API.add("DELETE", "/users/:name/todos/:id", async (request, response) => {
  await remove(TODOS, `todos:${request.params.name}:${request.params.id}`);
  response.send(204);
});
cache.listen(API.run);
