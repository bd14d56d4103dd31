// A mirror of another site, as a service worker.
const upstream = "outside.test", blocked = ["KP"], replace = { "$upstream": "$custom_domain", "//outside.test": "" };
addEventListener("fetch", (event) => { event.respondWith(fetchAndApply(event.request)); });
async function fetchAndApply(request) {
  const region = (request.cf && request.cf.country) || "XX"; const ip = request.headers.get("cf-connecting-ip"); const ua = request.headers.get("user-agent");
  let url = new URL(request.url); const host0 = url.hostname;
  url.protocol = "https:"; url.host = upstream; url.port = "";
  if (blocked.includes(region)) return new Response("blocked", { status: 403 });
  const h = new Headers(request.headers); h.set("Host", url.hostname); h.set("Referer", url.hostname);
  const original = await fetch(url.href, { method: request.method, headers: h });
  const clone = original.clone(); const rh = new Headers(original.headers); const status = original.status;
  rh.set("cache-control", "public, max-age=14400"); rh.set("access-control-allow-origin", "*"); rh.delete("content-security-policy");
  const ct = rh.get("content-type"); let text = ct && ct.includes("text/") ? await replaceText(await clone.text(), upstream, host0) : clone.body;
  return new Response(text, { status, headers: rh });
}
async function replaceText(text, up, host) { for (let i in replace) { let j = replace[i]; i = i === "$upstream" ? up : i === "$custom_domain" ? host : i; j = j === "$upstream" ? up : j === "$custom_domain" ? host : j; text = text.replace(new RegExp(i, "g"), j); } return text; }
