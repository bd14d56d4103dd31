// A suite in another language: starts `edgeworker test-server --json` in the folder of a wrangler.toml and steers it.
// Run by test_test_server.py; EDGEWORKER is the command as a JSON list. Node 20 or newer, no packages.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { createInterface } from "node:readline";

let server;
let ready;

before(async () => {
  const [command, ...options] = JSON.parse(process.env.EDGEWORKER ?? '["edgeworker", "test-server"]');
  server = spawn(command, [...options, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    ready = JSON.parse(line);
    break;
  }
});

after(() => server.kill());

beforeEach(() => control("POST", "/reset"));

async function control(method, path, body) {
  const response = await fetch(ready.control_url + path, {
    method,
    headers: { authorization: `Bearer ${ready.control_token}` },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.clone().text()}`);
  return response.json();
}

// fetch() does not let a caller choose Host, so the edge is asked with node:http.
function ask(host, path, headers = {}) {
  const { hostname, port } = new URL(ready.url);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, headers: { host, ...headers } }, async (response) => {
      let text = "";
      for await (const piece of response.setEncoding("utf8")) text += piece;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    request.on("error", reject).end();
  });
}

test("KV is seeded, and an entry is gone when its time has come", async () => {
  await control("PUT", "/kv/TOKENS/k?expiration_ttl=60", "stored");
  assert.equal((await ask("api.example.com", "/")).text, "stored");

  await control("POST", "/clock", { advance: 60 });

  assert.equal((await ask("api.example.com", "/")).text, "origin\n");
});

test("an origin answers by rule and tells what it was asked", async () => {
  await control("POST", "/origin/rules", { pattern: "/orders", json: [{ id: 1 }], headers: { "x-total": "1" } });

  const answer = await ask("api.example.com", "/orders?page=2", { "x-trace": "abc" });

  assert.deepEqual(JSON.parse(answer.text), [{ id: 1 }]);
  assert.equal(answer.headers["x-total"], "1");
  const { requests } = await control("GET", "/origin/requests");
  assert.equal(requests.length, 1);
  assert.equal(requests[0].url, "http://api.example.com/orders?page=2");
  assert.equal(new Headers(requests[0].headers).get("x-trace"), "abc");
});

test("an origin that is down is a page of the edge", async () => {
  await control("POST", "/origin/rules", { pattern: "/*", fail: 521 });

  assert.equal((await ask("api.example.com", "/")).status, 521);
});

test("the way of a request can be read", async () => {
  await ask("api.example.com", "/way");

  const { requests } = await control("GET", "/trace");
  assert.equal(requests[0].outcome, "200");
  assert.ok(requests[0].steps.some((step) => step.kind === "route" && step.text.includes("worker shop")));
});
