// Lets the HTMLRewriter of workerd work on every case below and writes what came out to cases/html.json.
//
//     npm install miniflare node@22          (in a directory of its own)
//     node record_html.mjs NODE_MODULES     (with that Node; NODE_MODULES is that directory's node_modules)
//
// A case is a text (or a list of pieces) and a list of handlers: [selector or null for the document, {event: [steps]}]. A
// step is a method and its arguments, done to what the handler is given; "!" before a name reads or sets a property. What
// is written: what came out, and what the handlers were told.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const require = createRequire(resolve(process.argv[2] ?? "node_modules") + "/");
const { Miniflare } = require("miniflare");

const el = (selector, ...steps) => [selector, { element: steps }];
const DOC = '<!DOCTYPE html PUBLIC "p" "s"><html><head><title>T &amp; <b>x</b></title></head><body class="a b" id=i>' +
  '<p>one<br>two</p><!-- c --><ul><li>1<li class=x>2</ul><img src="a.png"/><script>if (a < b) "</p>"</script></body></html>';
const SELECT = (...selectors) => selectors.map((s) => [`select ${s}`, [
  '<div id=a class="x y" data-a="v-w"><p lang=en-US>1</p><p class=Y data-b="">2<b>3</b></p><span><p>4</p></span><P HREF=up>5</P></div>',
  [el(s, ["setAttribute", "m", "1"])]]]);
const HTML = { html: true };
const CASES = Object.fromEntries([
  ["nothing", [DOC, []]],
  ["everything is told", [DOC, [["*", { element: [["!tagName"]], text: [], comments: [] }], [null, { doctype: [], comments: [], text: [], end: [] }]]]],
  ...SELECT("p", "P", "*", ".x", ".X", "#a", "#A", "p.Y", "[lang]", "[LANG]", '[lang="en-US"]', "[lang=en]", '[lang|="en"]', '[data-a^="v"]', '[data-a$="w"]',
    '[data-a*="-"]', '[class~="y"]', '[lang="EN-us" i]', '[data-b=""]', '[data-b^=""]', "div p", "div > p", "div>span p", "p:nth-child(2)", "p:first-child", "p:nth-of-type(2)",
    "p:first-of-type", "p:nth-child(odd)", "p:nth-child(2n+1)", "p:not(.Y)", ":not(p)", "p:not([lang]):not(.Y)", "b, span", "div p b", "p b", "[href]", "#a.x[data-a]", "div>*"),
  ["before and after", ["<p>x</p>", [el("p", ["before", "<a>"], ["before", "<b>", HTML], ["after", "<c>"], ["after", "<d>", HTML], ["prepend", "<e>"], ["prepend", "<f>", HTML], ["append", "<g>"], ["append", "<h>", HTML])]]],
  ["escapes", ["<p>x</p>", [el("p", ["append", `& < > " ' \u00e9`], ["setAttribute", "a", `& < > " '`])]]],
  ["replace", ["a<p>x<b>y</b></p>z", [el("p", ["replace", "<r>"], ["before", "1"], ["after", "2"])]]],
  ["replace html", ["a<p>x</p>z", [el("p", ["replace", "<r>", HTML])]]],
  ["remove", ["a<p>x<b>y</b></p>z", [el("p", ["remove"], ["!removed"]), ["b", { element: [["!tagName"], ["before", "no"]], text: [] }]]]],
  ["remove and keep", ["a<p>x<b>y</b></p>z", [el("p", ["removeAndKeepContent"], ["!removed"])]]],
  ["set inner content", ["<p>x<b>y</b></p>", [el("p", ["prepend", "1"], ["append", "2"], ["setInnerContent", "<i>"])]]],
  ["set inner html", ["<p>x<b>y</b></p>", [el("p", ["setInnerContent", "<i>", HTML], ["prepend", "1"], ["append", "2"])]]],
  ["void", ["a<br>b<img src=x>c<input/>", [el("*", ["before", "1"], ["after", "2"], ["prepend", "3"], ["append", "4"], ["setInnerContent", "5"])]]],
  ["remove void", ["a<br>b", [el("br", ["remove"])]]],
  ["replace void", ["a<br>b", [el("br", ["replace", "x"])]]],
  ["attributes", ["<a HREF='x' b=c d e=\"f\">t</a>", [el("a", ["!attributes"], ["getAttribute", "href"], ["getAttribute", "HREF"], ["getAttribute", "none"], ["hasAttribute", "D"], ["getAttribute", "d"])]]],
  ["set attributes", ["<a HREF='x' b=c d e=\"f\">t</a>", [el("a", ["setAttribute", "b", "n"], ["setAttribute", "New", "v"], ["removeAttribute", "HREF"], ["removeAttribute", "zz"])]]],
  ["duplicate attributes", ['<a b=1 b=2 B=3>t</a>', [el("a", ["!attributes"], ["getAttribute", "b"], ["setAttribute", "b", "x"])]]],
  ["entities in attributes", ['<a href="?a&amp;b">t</a>', [el("a", ["getAttribute", "href"], ["setAttribute", "c", "&amp;"])]]],
  ["bad attribute names", ["<a>t</a>", [el("a", ["setAttribute", "", "x"], ["setAttribute", "a b", "x"], ["setAttribute", "a=b", "x"])]]],
  ["tag names", ["<A>t</A><br>", [el("*", ["!tagName"], ["!tagName", "Bc"])]]],
  ["bad tag names", ["<a>t</a>", [el("a", ["!tagName", ""], ["!tagName", "1a"], ["!tagName", "a b"])]]],
  ["self closing", ["<a/>x</a><svg><path/><g>y</g></svg>", [el("*", ["setAttribute", "m", "1"], ["append", "2"])]]],
  ["end tags", ["<p>x</p >y<b>z", [["p", { element: [["onEndTag", [["!name"], ["before", "1"], ["after", "<2>", HTML]]], ["onEndTag", [["before", "3"]]]] }], ["b", { element: [["onEndTag", [["!name"]]]] }]]]],
  ["remove end tag", ["<p>x</p>y", [["p", { element: [["onEndTag", [["remove"]]]] }]]]],
  ["rename end tag", ["<p>x</p>y", [["p", { element: [["onEndTag", [["!name", "q"]]]] }]]]],
  ["end tags that are not there", ["<div><p>a<i>b</div>c</p>", [el("p, i, div", ["append", "A"], ["after", "B"])]]],
  ["text", ["<p>one<b>two</b>three</p>four", [["p", { text: [["!text"], ["!lastInTextNode"]] }]]]],
  ["text replaced", ["<p>one<b>two</b></p>", [["b", { text: [["before", "<"], ["after", ">"], ["replace", "x&"]] }]]]],
  ["text removed", ["<p>one<b>two</b></p>", [["p", { text: [["remove"], ["!removed"]] }]]]],
  ["text html", ["<p>one</p>", [["p", { text: [["replace", "<i>", HTML]] }]]]],
  ["text with entities", ["<p>a &lt; b &copy; c</p>", [["p", { text: [["!text"]] }]]]],
  ["comments", ["<p><!-- one --><!--two--></p><!--three-->", [["p", { comments: [["!text"], ["!text", "new"], ["before", "<"], ["after", ">", HTML]] }]]]],
  ["comments removed", ["<p><!-- one -->x</p>", [["p", { comments: [["remove"], ["!removed"]] }]]]],
  ["comments replaced", ["<p><!-- one -->x</p>", [["p", { comments: [["replace", "<y>"]] }]]]],
  ["bad comment text", ["<p><!-- one --></p>", [["p", { comments: [["!text", "a-->b"]] }]]]],
  ["odd comments", ["<!><!--><!---><!----><?php x ?></ x><!-- a --!> <!x>", [[null, { comments: [["!text"]] }]]]],
  ["document end", ["<p>x", [[null, { end: [["append", "<a>"], ["append", "<b>", HTML]] }]]]],
  ["document comments and text", ["a<!--b-->c<p>d</p>", [[null, { comments: [["remove"]], text: [["!text"]] }]]]],
  ["doctypes", ["<!doctype html><!DOCTYPE html SYSTEM 'x'><!DOCTYPE>", [[null, { doctype: [["!name"], ["!publicId"], ["!systemId"]] }]]]],
  ["raw text", ["<title>a<b>c</title><textarea><p></textarea><style>p > a {}</style><noscript><p>n</p></noscript><xmp><p></xmp><iframe><p></iframe>", [["*", { element: [["!tagName"]], text: [["!text"]] }]]]],
  ["script", ["<script>a</scriptx></SCRIPT ><p>", [["*", { element: [["!tagName"]], text: [["!text"]] }]]]],
  ["less than in text", ["a < b <3 <> </> <", [[null, { text: [["!text"]] }]]]],
  ["quotes in tags", [`<a b=">" c='>' d=a"b>x</a><a b="c"d="e"/f=g>y</a>`, [el("a", ["!attributes"])]]],
  ["unfinished", ["<p>x<a href=", [el("a", ["!tagName"])]]],
  ["unfinished comment", ["<p>x<!-- y", [[null, { comments: [["!text"]] }]]]],
  ["pieces", [["<p cla", 'ss="a', ' b">on', "e</", "p><!", "-- c", " --", "><scr", "ipt>a<", "/scri", "pt>"], [["*", { element: [["!tagName"], ["getAttribute", "class"]], text: [["!text"], ["!lastInTextNode"]] }], [null, { comments: [["!text"]] }]]]],
  ["order of handlers", ["<p>x</p>", [el("p", ["append", "1"]), el("*", ["append", "2"]), el("p", ["setAttribute", "a", "3"])]]],
  ["handlers see what was changed", ["<p>x</p>", [el("p", ["setAttribute", "a", "1"]), el("p", ["getAttribute", "a"]), el("[a]", ["append", "no"])]]],
  ["namespaces", ["<p><svg><a/></svg><math></math></p>", [el("*", ["!namespaceURI"])]]],
  ["nested matches", ["<p>a<p>b</p>c</p>", [el("p", ["prepend", "1"], ["append", "2"])]]],
  ["svg title", ["<svg><title><p>x</p></title></svg>", [el("p", ["setAttribute", "m", "1"])]]],
  ["bad selector ", ["<p>", [el("", [])]]], ["bad selector p +", ["<p>", [el("p + a", [])]]], ["bad selector pseudo", ["<p>", [el("p:hover", [])]]], ["bad selector element", ["<p>", [el("p::before", [])]]],
  ["bad selector [", ["<p>", [el("p[", [])]]], ["bad selector >", ["<p>", [el("> p", [])]]], ["bad selector ,", ["<p>", [el("p,", [])]]], ["bad selector class", ["<p>", [el(".", [])]]],
  ["bad selector ~", ["<p>", [el("a ~ b", [])]]], ["bad selector has", ["<p>", [el("a:has(b)", [])]]], ["bad selector last", ["<p>", [el("a:last-child", [])]]], ["bad selector number", ["<p>", [el("1a", [])]]],
  ["a namespace prefix", ["<p>", [el("svg|a", [])]]],
]);

const SCRIPT = `
function done(target, steps, told) {
  for (const [name, ...args] of steps) {
    try {
      let result;
      if (name === "onEndTag") { target.onEndTag((end) => done(end, args[0], told)); continue; }
      if (name[0] === "!") { const key = name.slice(1); if (args.length) { target[key] = args[0]; continue; } result = target[key]; if (key === "attributes") result = [...result]; }
      else { result = target[name](...args); if (result === target) continue; }
      told.push([name, result === undefined ? null : result]);
    } catch (error) { told.push([name, error.name, error.message]); }
  }
}
export default { async fetch(request) {
  const [text, handlers] = await request.json(), told = [];
  const { readable, writable } = new TransformStream();
  (async () => { const w = writable.getWriter(); for (const piece of [].concat(text)) await w.write(new TextEncoder().encode(piece)); await w.close(); })();
  try {
    let rewriter = new HTMLRewriter();
    for (const [selector, events] of handlers) {
      const made = Object.fromEntries(Object.entries(events).map(([event, steps]) => [event, (target) => { told.push([event]); done(target, steps, told); }]));
      rewriter = selector === null ? rewriter.onDocument(made) : rewriter.on(selector, made);
    }
    return Response.json({ out: await rewriter.transform(new Response(readable)).text(), told });
  } catch (error) { return Response.json({ error: error.name, message: error.message, told }); }
} };`;
const mf = new Miniflare({ modules: true, script: SCRIPT, compatibilityDate: "2026-08-01" });
const cases = {};
for (const [name, [text, handlers]] of Object.entries(CASES)) {
  const response = await mf.dispatchFetch("http://x/", { method: "POST", body: JSON.stringify([text, handlers]) });
  cases[name] = { text, handlers, answer: await response.json() };
}
await mf.dispose();
const file = join(dirname(new URL(import.meta.url).pathname), "cases", "html.json");
writeFileSync(file, JSON.stringify({ workerd: require("workerd/package.json").version, cases }, null, 1) + "\n");
