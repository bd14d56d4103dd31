// A service worker with the router of cloudflare/worker-template-router (itty-router 2).
import { Router } from "itty-router";

const router = Router();

router.get("/", () => new Response("Hello, world! This is the root page of your Worker template."));
router.get("/example/:text", ({ params }) => {
  const input = decodeURIComponent(params.text);
  const base64 = btoa(input);
  return new Response(`<p>Base64 encoding: <code>${base64}</code></p>`, { headers: { "Content-Type": "text/html" } });
});
router.post("/post", async (request) => {
  const fields = { asn: request.cf?.asn ?? null, colo: request.cf?.colo ?? null };
  if (request.headers.get("Content-Type") === "application/json") fields.json = await request.json();
  return new Response(JSON.stringify(fields, null, 2), { headers: { "Content-Type": "application/json" } });
});
router.get("/search", ({ query }) => Response.json(query));
router.all("*", () => new Response("404, not found!", { status: 404 }));

addEventListener("fetch", (event) => {
  event.respondWith(router.handle(event.request));
});
