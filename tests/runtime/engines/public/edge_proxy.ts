// A CORS proxy, a redirector for resized images and an A/B test by HTMLRewriter, as tutorials have them.
const ALLOW = ["outside.test"];
function ab(request: Request) { const m = /ab=(a|b)/.exec(request.headers.get("Cookie") ?? ""); return m ? m[1] : "b"; }
export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (request.method === "OPTIONS") return new Response(null, { headers: { "Access-Control-Allow-Origin": request.headers.get("Origin") ?? "*", "Access-Control-Allow-Methods": "GET,HEAD,POST", "Access-Control-Allow-Headers": request.headers.get("Access-Control-Request-Headers") ?? "" } });
    if (url.pathname === "/cors") {
      const target = new URL(url.searchParams.get("url")!);
      if (!ALLOW.includes(target.hostname)) return new Response("no", { status: 403, statusText: "Nope" });
      const req = new Request(target, request); req.headers.set("Origin", target.origin); req.headers.delete("cookie");
      let res = await fetch(req); res = new Response(res.body, res); res.headers.set("Access-Control-Allow-Origin", "*"); res.headers.append("Vary", "Origin"); return res;
    }
    if (url.pathname.startsWith("/img/")) {
      const accept = request.headers.get("Accept") ?? "";
      const options: any = { cf: { image: { width: +(url.searchParams.get("w") ?? 100), fit: "cover" } } };
      if (/image\/avif/.test(accept)) options.cf.image.format = "avif"; else if (/image\/webp/.test(accept)) options.cf.image.format = "webp";
      if (!/\.(jpe?g|png|gif|webp)$/i.test(url.pathname)) return new Response("Disallowed file extension", { status: 400 });
      return Response.redirect(`https://outside.test/cdn/${options.cf.image.format ?? "orig"}/${options.cf.image.width}${url.pathname.slice(4)}`, 302);
    }
    const v = ab(request);
    const page = new Response(`<!doctype html><html><head><title>T</title></head><body><h1 class="hero" data-x='1'>Old &amp; gold</h1><!-- c --><ul><li>1<li>2</ul><script>if (a<b) x()</script><a href="/a?b=1&c=2">l</a></body></html>`, { headers: { "content-type": "text/html;charset=utf-8" } });
    let count = 0;
    const out = new HTMLRewriter()
      .on("h1.hero", { element(e) { e.setInnerContent(v === "a" ? "New <b>A</b>" : "New B", { html: v === "a" }); e.setAttribute("data-v", v); e.removeAttribute("data-x"); } })
      .on("li", { element(e) { count++; e.before(`(${count})`); } , text(t) { if (t.lastInTextNode) t.after("!"); } })
      .on("a[href]", { element(e) { e.setAttribute("href", new URL(e.getAttribute("href")!, "https://x.test/").href); } })
      .onDocument({ comments(c) { c.remove(); }, end(e) { e.append(`<!--${count}-->`, { html: true }); } })
      .transform(page);
    const res = new Response(out.body, out); res.headers.append("Set-Cookie", `ab=${v}; Path=/; HttpOnly`); return res;
  },
};
