// Expressions of test_node_modules.py, one a line, after what they import.
import path from "node:path";
import querystring from "node:querystring";
import { StringDecoder } from "node:string_decoder";
import EventEmitter, { once } from "node:events";
import util from "node:util";
import stream from "node:stream";
import crypto from "node:crypto";
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import * as timersPromises from "node:timers/promises";
import diagnostics from "node:diagnostics_channel";
import url from "node:url";
import { Buffer } from "node:buffer";
//
[path.join("a","..","b","./c"), path.resolve("/a","b","../c"), path.relative("/a/b/c","/a/d"), path.basename("/x/y.html",".html"), path.extname("a.b.c"), path.dirname("/a/b/"), path.normalize("/a//b/../c/."), path.isAbsolute("a")]
path.parse("/home/u/file.txt")
path.format({dir:"/a",name:"b",ext:"c"})
[querystring.stringify({a:[1,"x y"],b:true,c:null,d:"é&"}), {...querystring.parse("a=1&a=2&b=%C3%A9+x&c")}]
(() => { const d = new StringDecoder("utf8"); return [d.write(Buffer.from([0xe2,0x82])), d.write(Buffer.from([0xac])), d.end()] })()
(() => { const d = new StringDecoder("base64"); return [d.write(Buffer.from("abcd")), d.end()] })()
(() => { const e = new EventEmitter(), out=[]; e.once("a",(x)=>out.push("once"+x)); e.on("a",(x)=>out.push("on"+x)); e.prependListener("a",(x)=>out.push("first"+x)); e.emit("a",1); e.emit("a",2); return [out,e.listenerCount("a"),e.eventNames()] })()
(() => { function Old() { EventEmitter.call(this); } util.inherits(Old, EventEmitter); const o = new Old(); let seen; o.on("x", (v) => seen = v); o.emit("x", 5); return [seen, o instanceof EventEmitter] })()
(() => { try { new EventEmitter().emit("error", new Error("boom")) } catch (e) { return e.message } })()
(() => { try { new EventEmitter().on("x", 5) } catch (e) { return [e.name, e.code] } })()
await (async () => { const out=[]; for await (const x of stream.Readable.from(["a","b"])) out.push(x); return out })()
await (async () => { const t = new stream.Transform({ transform(c,e,d){ d(null, String(c).toUpperCase()) } }); t.end("abc"); let s=""; for await (const c of t) s+=c; return s })()
await new Promise((done) => stream.pipeline(stream.Readable.from(["x"]), new stream.PassThrough(), new stream.Writable({ write(c,e,d){ d() } }), (error) => done(String(error))))
await new Promise((done) => { const w = new stream.Writable({ write(c,e,d){ d(new Error("bad")) } }); w.on("error", (e) => done(e.message)); w.write("x") })
await new Response(stream.Readable.toWeb(stream.Readable.from([Buffer.from("we"), Buffer.from("b")]))).text()
[typeof stream, typeof stream.Stream, stream.Readable.prototype instanceof stream.Stream, new stream.PassThrough() instanceof stream.Duplex]
[util.format("%s %d %j %%", "a", 1.5, {a:1}), util.inspect({a:[1,{b:{c:{}}}]}), util.types.isDate(new Date()), util.isDeepStrictEqual({a:[1]},{a:[1]})]
await util.promisify((a, done) => done(null, a * 2))(21)
[crypto.scryptSync("pw","salt",16).toString("hex"), crypto.pbkdf2Sync("pw","salt",1000,16,"sha256").toString("hex"), Buffer.from(crypto.hkdfSync("sha256","key","salt","info",16)).toString("hex")]
await new Promise((done) => crypto.scrypt("pw","salt",8,{N:1024},(error, key) => done([error, key.toString("base64")])))
(() => { const k = Buffer.alloc(32,1), n = Buffer.alloc(12,2); const c = crypto.createCipheriv("aes-256-gcm",k,n); c.setAAD(Buffer.from("a")); const x = c.update("hello","utf8","hex")+c.final("hex"); const tag = c.getAuthTag(); const d = crypto.createDecipheriv("aes-256-gcm",k,n); d.setAAD(Buffer.from("a")); d.setAuthTag(tag); return [x, tag.toString("hex"), d.update(x,"hex","utf8")+d.final("utf8")] })()
(() => { const k = Buffer.alloc(16,1), n = Buffer.alloc(16,2); const c = crypto.createCipheriv("aes-128-cbc",k,n); return Buffer.concat([c.update("hello","utf8"), c.final()]).toString("hex") })()
(() => { try { const d = crypto.createDecipheriv("aes-256-gcm",Buffer.alloc(32),Buffer.alloc(12)); d.setAuthTag(Buffer.alloc(16)); d.update("00","hex"); d.final(); } catch (e) { return e.message } })()
[crypto.createHash("sha256").update("a").digest("hex").slice(0,8), crypto.createHmac("sha1","k").update("a").digest("base64"), crypto.randomBytes(4).length, crypto.randomFillSync(new Uint8Array(3)).length, crypto.timingSafeEqual(Buffer.from("a"),Buffer.from("a"))]
await (async () => { const als = new AsyncLocalStorage(); const run = (name) => als.run(name, async () => { await Promise.resolve(); const a = als.getStore(); await new Promise((r) => setTimeout(r, 2)); return [a, als.getStore()] }); return [await Promise.all([run("A"), run("B")]), als.getStore() ?? null] })()
await (async () => { const als = new AsyncLocalStorage(); const out=[]; await als.run(1, async () => { setTimeout(() => out.push(als.getStore())); queueMicrotask(() => out.push(als.getStore())); await als.run(2, async () => { await 0; out.push(als.getStore()) }); out.push(als.getStore()); out.push(als.exit(() => als.getStore() ?? null)) }); await new Promise((r) => setTimeout(r, 5)); return out })()
await (async () => { const als = new AsyncLocalStorage(); const snap = als.run("kept", () => AsyncLocalStorage.snapshot()); const bound = als.run("b", () => AsyncResource.bind(() => als.getStore())); return [snap(() => als.getStore()), bound(), als.getStore() ?? null] })()
await (async () => { const als = new AsyncLocalStorage(); async function* gen() { yield als.getStore(); await 0; yield als.getStore() } return als.run("g", async () => { const out=[]; for await (const x of gen()) out.push(x); return out }) })()
await timersPromises.setTimeout(1, "value")
(() => { const c = diagnostics.channel("x"); const got=[]; c.subscribe((m) => got.push(m)); c.publish(1); return [got, c.hasSubscribers] })()
[Buffer.from("aGk","base64url").toString(), Buffer.from("é").toString("hex"), Buffer.concat([Buffer.from("a"),Buffer.from("b")]).toString(), Buffer.alloc(3,"ab").toString(), Buffer.from([1,2,3]).readUInt16BE(1), Buffer.byteLength("é"), Buffer.compare(Buffer.from("a"),Buffer.from("b")), Buffer.from("ff","hex")[0]]
[url.fileURLToPath("file:///a%20b"), new url.URL("http://x/a").href]
[typeof performance.now(), process.env.NODE_ENV ?? null, typeof process.nextTick, process.platform]
await (async () => { const e = new EventEmitter(); setTimeout(() => e.emit("x", 1, 2)); return once(e, "x") })()
