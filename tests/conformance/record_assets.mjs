// Asks the asset workers of miniflare for every path below and writes what they answered to cases/assets.json.
//
//     npm install miniflare node@22          (in a directory of its own)
//     node record_assets.mjs NODE_MODULES    (with that Node; NODE_MODULES is that directory's node_modules)
//
// A site is a set of files with their content, and settings of `assets`. A request is a path, or [path, {method, headers,
// binding}]: with `binding` it is made by the script through env.ASSETS. {etag} in a header is the ETag of the answer before.
import http from "node:http";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const require = createRequire(resolve(process.argv[2] ?? "node_modules") + "/");
const { Miniflare } = require("miniflare");

const PAGES = {
  "index.html": "root", "about.html": "about", "both.html": "both page", "both/index.html": "both folder",
  "blog/index.html": "blog", "blog/post.html": "post", "data.json": "{}", "plain": "no ending",
  "deep/a/b/c.txt": "c", "blog/404.html": "no post", "404.html": "nothing", "sub/index": "sub index", "é ü+.txt": "umlaut",
  "page.html/index.html": "folder of a page", "nested/index.html.html": "odd",
};
const PATHS = ["/", "/index", "/index.html", "/about", "/about.html", "/about/", "/about/index", "/about/index.html", "/both",
  "/both.html", "/both/", "/both/index", "/both/index.html", "/blog", "/blog/", "/blog.html", "/blog/index", "/blog/index.html",
  "/blog/post", "/blog/post/", "/blog/post.html", "/data.json", "/data", "/data.json/", "/plain", "/plain/", "/plain.html",
  "/deep", "/deep/", "/deep/a/b/c.txt", "/nothing", "/nothing/", "/blog/nothing", "/blog/x/y/z", "/sub/", "/sub/index", "/sub",
  "/%C3%A9%20%C3%BC%2B.txt", "/é ü+.txt", "/%E9", "/about?x=1", "/about.html?x=1&y", "//about", "/blog//post", "/%61bout",
  "/blog%2Fpost", "/page.html", "/page.html/", "/page", "/page/", "/index/", "/index/index.html", "/nested/", "/nested/index.html",
  "/..%2Fabout", "/%", "/a%00b", "/404", "/404.html", "/blog/404"];
const HEADERS = `# fields of every answer
/*
  X-All: yes
  X-Frame-Options: DENY

/about
  X-All: also
  ! Cache-Control
/blog/:name
  X-Name: :name and :other
  X-Splat: :splat
https://example.com/data.json
  X-Host: example
https://:sub.example.com/data.json
  X-Host: :sub
/data.json
X-Indent: none
  bad line
  : empty
  X-Empty:
/two/*/stars/*
  X-Never: 1
/plain
  X-A: 1
  x-a: 2
`;
const REDIRECTS = `# from to status
/old /about
/old-301 /about 301   # a remark
/old-303 /about 303
/old-307 /about?fixed=1 307
/old-308 /about#there 308
/away https://elsewhere.example/path?q=1#h
/away-bare https://elsewhere.example 301
/proxied /data.json 200
/proxied-page /about.html 200
/proxied-nothing /nothing 200
/about.html /data.json 301
/old /never
/a /b 404
/b
/c /d 301 x
relative /about
/to relative
http://x.example/x /about
/posts/* /blog/:splat 301
/user/:id/:tab /u/:tab/:id?tab=:tab
/users/:id https://users.example/:id
/static-below /about
/two/*/stars/* /about
/* /index.html 200
`;
const SITES = {
  auto: { files: PAGES, assets: {} },
  force: { files: PAGES, assets: { html_handling: "force-trailing-slash" } },
  drop: { files: PAGES, assets: { html_handling: "drop-trailing-slash" } },
  none: { files: PAGES, assets: { html_handling: "none" } },
  auto_404: { files: PAGES, assets: { not_found_handling: "404-page" } },
  force_404: { files: PAGES, assets: { html_handling: "force-trailing-slash", not_found_handling: "404-page" } },
  drop_404: { files: PAGES, assets: { html_handling: "drop-trailing-slash", not_found_handling: "404-page" } },
  auto_spa: { files: PAGES, assets: { not_found_handling: "single-page-application" } },
  none_spa: { files: PAGES, assets: { html_handling: "none", not_found_handling: "single-page-application" } },
};
for (const site of Object.values(SITES)) site.requests = PATHS;
const navigate = { headers: { "sec-fetch-mode": "navigate" } };
const SCRIPTED = ["/", "/about", "/about/", "/nothing", ["/nothing", navigate], ["/about", { method: "POST" }],
  ["/nothing", { method: "POST" }], "/api/x", ["/api/x", navigate], "/api/docs/x", "/data.json", ["/nothing", { binding: true }],
  ["/about/", { binding: true }], ["/data.json", { binding: true, method: "HEAD" }], ["/about", { binding: true, method: "PUT" }]];
const scripted = (assets, more = {}) => ({ files: PAGES, assets, script: true, requests: SCRIPTED, ...more });
Object.assign(SITES, {
  script: scripted({}),
  script_404: scripted({ not_found_handling: "404-page" }),
  script_spa: scripted({ not_found_handling: "single-page-application" }),
  script_spa_before_2025: scripted({ not_found_handling: "single-page-application" }, { date: "2025-03-31" }),
  script_spa_flag: scripted({ not_found_handling: "single-page-application" },
    { date: "2025-03-31", flags: ["assets_navigation_prefers_asset_serving"] }),
  script_first: scripted({ run_worker_first: true }),
  script_globs: scripted({ run_worker_first: ["/api/*", "!/api/docs/*", "/data.json"] }),
  script_globs_spa: scripted({ run_worker_first: ["/api/*"], not_found_handling: "single-page-application" }),
  messages: { files: PAGES, assets: {}, requests: ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"].flatMap((method) => [
    ["/about", { method }], ["/nothing", { method }], ["/about/", { method }]]).concat(["/about",
    ...['{etag}', 'W/{etag}', '"x"', '{etag}, "x"', "*", ""].flatMap((tag) => ["/about", ["/about", { headers: { "if-none-match": tag } }]]),
    ["/about", { method: "HEAD", headers: { "if-none-match": "{etag}" } }], ["/about", { headers: { authorization: "x" } }],
    ["/about", { headers: { range: "bytes=0-1" } }]]) },
  headers: { files: { ...PAGES, _headers: HEADERS }, assets: {}, requests: ["/", "/about", "/about/", "/blog/post", "/blog/post.html",
    "/data.json", "/nothing", "/plain", "/_headers", ["/about", { method: "POST" }], "/two/a/stars/b"] },
  redirects: { files: { ...PAGES, _redirects: REDIRECTS }, assets: {}, requests: ["/old", "/old?x=1", "/old-301", "/old-303", "/old-307?x=1",
    "/old-308?x=1", "/away", "/away?x=1", "/away-bare", "/proxied", "/proxied?x=1", "/proxied-page", "/proxied-nothing", "/about.html",
    "/about", "/a", "/b", "/relative", "/to", "/x", "/posts/1/2?x=1", "/posts/", "/user/5/settings", "/user/5", "/users/7?x=1",
    "/static-below", "/nothing", "/_redirects", ["/old", { method: "POST" }], "/posts//double"] },
  redirects_script: { files: { ...PAGES, _redirects: "/old /about 301\n/proxied /data.json 200\n/nowhere /nothing 200\n" }, assets: {},
    script: true, requests: ["/old", "/proxied", "/nowhere", "/nothing", ["/old", { binding: true }]] },
  ignored: { files: { ...PAGES, ".assetsignore": "*.map\n/deep/\n!deep/a/keep.map\nsecret*\n", "x.map": "m", "deep/a/keep.map": "m",
    "sub/x.map": "m", "secret.txt": "s", ".hidden": "h", ".well-known/security.txt": "w", "keep.txt": "k" }, assets: {},
    requests: ["/x.map", "/deep/a/b/c.txt", "/deep/a/keep.map", "/sub/x.map", "/secret.txt", "/.hidden", "/.well-known/security.txt",
      "/keep.txt", "/.assetsignore"] },
  empty: { files: { "x.txt": "" }, assets: {}, requests: ["/", "/x.txt", ["/x.txt", { method: "HEAD" }]] },
});
const endings = process.env.ENDINGS?.split(" ") ?? `html htm xhtml css js mjs cjs json map webmanifest txt md csv xml rss atom svg png apng jpg
  jpeg gif webp avif ico bmp tiff woff woff2 ttf otf eot mp3 m4a ogg opus wav weba flac mp4 webm ogv mov wasm pdf zip gz tgz tar 7z
  doc docx xlsx pptx epub ics yaml yml toml log py sh bin exe glb gltf vtt m3u8 ts crt pem appcache tsx unknown PNG tar.gz`.split(/\s+/);
SITES.types = { files: Object.fromEntries([...endings.map((ending) => [`x.${ending}`, "x"]), ["none", "x"], [".json", "x"], ["png", "x"]]),
  assets: { html_handling: "none" } };
SITES.types.requests = Object.keys(SITES.types.files).map((name) => `/${name}`);

const SCRIPT = `export default {
  async fetch(request, env) {
    if (!request.headers.has("x-binding")) return new Response("worker " + request.method);
    const headers = new Headers(request.headers);
    headers.delete("x-binding");
    return env.ASSETS.fetch(new Request(request, { headers, redirect: "manual" }));
  },
};`;

const SHOWN = ["location", "content-type", "cache-control", "cf-cache-status", "allow"];

// Not with fetch(), which sets Sec-Fetch-Mode itself.
function ask(base, path, method, headers) {
  const url = new URL(`http://example.com${path}`);
  const options = { host: base.hostname, port: base.port, path: url.pathname + url.search, method, headers: { host: url.host, ...headers } };
  return new Promise((done, failed) => {
    const sent = http.request(options, async (answer) => {
      let body = "";
      for await (const piece of answer.setEncoding("utf8")) body += piece;
      done({ status: answer.statusCode, headers: answer.headers, body });
    });
    sent.on("error", failed).end();
  });
}

function routing(site) {
  const first = site.assets.run_worker_first;
  const router = { has_user_worker: Boolean(site.script) };
  if (first === true) router.invoke_user_worker_ahead_of_assets = true;
  if (Array.isArray(first)) {
    router.static_routing = {
      user_worker: first.filter((rule) => !rule.startsWith("!")),
      asset_worker: first.filter((rule) => rule.startsWith("!")).map((rule) => rule.slice(1)),
    };
  }
  return router;
}

const recorded = [];
for (const [name, site] of Object.entries(SITES)) {
  const directory = mkdtempSync(join(tmpdir(), "assets-"));
  for (const [file, content] of Object.entries(site.files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), content);
  }
  const { run_worker_first: _, ...assetConfig } = site.assets;
  const miniflare = new Miniflare({ log: undefined, workers: [{ name: "w", modules: true, script: SCRIPT,
    compatibilityDate: site.date ?? "2026-04-01", compatibilityFlags: site.flags ?? [],
    assets: { directory, workerName: "w", binding: "ASSETS", routerConfig: routing(site), assetConfig } }] });
  const answers = [];
  let etag = "";
  for (const request of site.requests) {
    const [path, options] = Array.isArray(request) ? request : [request, {}];
    const headers = { ...(options.headers ?? {}), ...(options.binding ? { "x-binding": "1" } : {}) };
    for (const key of Object.keys(headers)) headers[key] = headers[key].replace("{etag}", etag);
    const answer = await ask(await miniflare.ready, path, options.method ?? "GET", headers);
    const shown = Object.fromEntries(Object.entries(answer.headers).filter(([key]) => SHOWN.includes(key) || key.startsWith("x-")));
    delete shown["x-mf-additional-response-log"];
    answers.push({ request, status: answer.status, headers: shown, tagged: "etag" in answer.headers, body: answer.body });
    etag = answer.headers.etag ?? etag;
  }
  await miniflare.dispose();
  rmSync(directory, { recursive: true });
  const { files, assets, script, date, flags } = site;
  recorded.push({ name, files, assets, script: Boolean(script), date: date ?? "2026-04-01", flags: flags ?? [], answers });
}
const { version } = require("miniflare/package.json");
const lines = recorded.map((site) => {
  const { answers, ...rest } = site;
  return ` {"site": ${JSON.stringify(rest)},\n  "answers": [\n${answers.map((answer) => `   ${JSON.stringify(answer)}`).join(",\n")}]}`;
});
writeFileSync(new URL("cases/assets.json", import.meta.url),
  `{"recorded_from": "miniflare ${version}",\n "sites": [\n${lines.join(",\n")}]}\n`);
