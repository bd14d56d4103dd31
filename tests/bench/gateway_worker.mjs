// The split-token work as a worker in JavaScript, for miniflare and for `wrangler dev`.
export default {
  async fetch(request, env) {
    const token = (request.headers.get("authorization") ?? "").replace(/^Bearer /, "");
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
    const value = await env.TOKENS.get(btoa(String.fromCharCode(...hash)));
    if (value === null) return new Response("unknown token", { status: 401 });
    const headers = new Headers(request.headers);
    headers.set("authorization", `Bearer ${value}.${token}`);
    const url = new URL(request.url);
    return fetch(env.ORIGIN + url.pathname + url.search, { method: request.method, headers, redirect: "manual" });
  },
};
