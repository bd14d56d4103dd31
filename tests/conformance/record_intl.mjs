// Asks workerd what Intl says for en-US, and writes cases/intl.json: node record_intl.mjs [node_modules]
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const modules = resolve(process.argv[2] ?? "node_modules") + "/";
const { Miniflare } = createRequire(modules)("miniflare");

const numbers = ["0", "1", "-1", "1234.5", "1234567.891", "-0", "0.1", "1.005", "1e21", "1e-7", "NaN", "Infinity", "-Infinity",
  "12345678901234567890n", "999999", "999", "1500", "99950", "0.456", "1050"];
const usd = "style:'currency',currency:'USD'";
const numberOptions = ["", "style:'percent'", usd, "style:'currency',currency:'JPY'", "style:'currency',currency:'EUR',currencyDisplay:'code'",
  "notation:'compact'", "notation:'compact',compactDisplay:'long'", "maximumFractionDigits:0", "minimumFractionDigits:2",
  "maximumSignificantDigits:3", "minimumIntegerDigits:3", "useGrouping:false", "signDisplay:'exceptZero'", "notation:'scientific'",
  `${usd},currencySign:'accounting'`, "style:'unit',unit:'kilobyte'", "style:'unit',unit:'day',unitDisplay:'long'",
  "style:'currency',currency:'CHF'", `${usd},currencyDisplay:'name'`, "notation:'compact',maximumFractionDigits:1",
  `${usd},minimumFractionDigits:0`, `${usd},notation:'compact'`];
const dateOptions = ["", "timeZone:'UTC'", "dateStyle:'full'", "dateStyle:'long'", "dateStyle:'medium'", "dateStyle:'short'", "timeStyle:'full'",
  "timeStyle:'long'", "timeStyle:'medium'", "timeStyle:'short'", "dateStyle:'full',timeStyle:'short'", "dateStyle:'medium',timeStyle:'medium'",
  "dateStyle:'short',timeStyle:'long',timeZone:'America/New_York'", "year:'numeric',month:'long',day:'numeric'",
  "weekday:'long',year:'numeric',month:'long',day:'numeric'", "weekday:'short',month:'short',day:'2-digit'", "month:'long',year:'numeric'",
  "month:'2-digit',day:'2-digit',year:'numeric'", "hour:'numeric'", "hour:'2-digit',minute:'2-digit'", "hour:'2-digit',minute:'2-digit',hour12:false",
  "hour:'numeric',minute:'numeric',second:'numeric',hourCycle:'h23'", "minute:'2-digit',second:'2-digit'", "weekday:'long'", "weekday:'narrow'",
  "year:'numeric'", "year:'2-digit'", "month:'short'", "month:'narrow'", "day:'numeric'", "timeZone:'Europe/Berlin',timeZoneName:'short'",
  "timeZone:'America/Los_Angeles',timeZoneName:'short',hour:'numeric'", "timeZone:'America/New_York',timeZoneName:'long',hour:'numeric'",
  "timeZone:'Asia/Kolkata',dateStyle:'long',timeStyle:'long'", "timeZone:'Nope/Zone'", "year:'numeric',month:'short',day:'numeric',hour:'numeric',minute:'2-digit'",
  "year:'numeric',month:'long',day:'numeric',hour:'numeric',minute:'2-digit'",
  "year:'numeric',month:'numeric',day:'numeric',hour:'numeric',minute:'numeric',second:'numeric',timeZoneName:'short'", "weekday:'short',hour:'numeric'",
  "fractionalSecondDigits:3,second:'numeric',minute:'numeric'", "weekday:'long',day:'numeric'", "month:'numeric',year:'numeric'",
  "dateStyle:'short',hour:'numeric'", "year:'nope'", "timeZone:'+05:30'", "timeZone:'GMT'",
  "weekday:'short',year:'numeric',month:'short',day:'numeric',hour:'2-digit',minute:'2-digit',second:'2-digit',timeZone:'UTC',timeZoneName:'short'"];
const units = ["second", "minute", "hour", "day", "week", "month", "quarter", "years", "nope"];
const expressions = [
  ...numbers.flatMap((value) => numberOptions.map((options) => `new Intl.NumberFormat('en-US',{${options}}).format(${value})`)),
  ...dateOptions.flatMap((options) => ["format(D)", "format(Z)", "formatToParts(D)", "resolvedOptions()"].map((call) => `new Intl.DateTimeFormat('en-US',{${options}}).${call}`)),
  ...units.flatMap((unit) => ["-1", "0", "1", "-2.5", "1000", "-0"].flatMap((value) => ["", "{numeric:'auto'}", "{style:'short'}"].map(
    (options) => `new Intl.RelativeTimeFormat('en'${options && ","}${options}).format(${value},'${unit}')`))),
  ..."D.toLocaleString() D.toLocaleDateString() D.toLocaleTimeString() D.toLocaleDateString('en-US',{hour:'numeric'}) D.toLocaleTimeString('en-US',{year:'numeric'}) D.toLocaleString('en-US',{timeZone:'America/New_York'}) (new/**/Date(NaN)).toLocaleString() (1234.5).toLocaleString() (1234.5).toLocaleString('en-US',{style:'currency',currency:'USD'}) 123n.toLocaleString() new/**/Intl.DateTimeFormat().format(NaN) 'a'.localeCompare('B') 'a'.localeCompare('A') 'résumé'.localeCompare('resume') 'a'.localeCompare('á','en',{sensitivity:'base'}) 'a'.localeCompare('A','en',{sensitivity:'accent'}) 'co-op'.localeCompare('coop') 'ab\\u0020c'.localeCompare('abc') Intl.NumberFormat('en-US').format(5) Intl.DateTimeFormat().resolvedOptions() Intl.getCanonicalLocales('EN-us') Intl.getCanonicalLocales('x_y') Intl.NumberFormat.supportedLocalesOf(['en-US']) Intl.NumberFormat.name Object.prototype.toString.call(Intl)".split(" "),
  "new Intl.NumberFormat('en-US',{style:'currency'})", "new Intl.NumberFormat('en-US',{style:'nope'})", "new Intl.NumberFormat('en-US',{currency:'nope',style:'currency'})",
  "new Intl.NumberFormat('en-US',{maximumFractionDigits:200})", "new Intl.NumberFormat('en-US').resolvedOptions()",
  "new Intl.NumberFormat('en-US',{style:'currency',currency:'usd'}).resolvedOptions()", "new Intl.NumberFormat('en-US',{style:'percent'}).resolvedOptions()",
  "new Intl.NumberFormat('en-US',{style:'currency',currency:'USD'}).formatToParts(-1234.5)",
  "['a','B','c','Z','é','e','z','1','10','2','_','-',' '].sort(new Intl.Collator('en').compare)", "['a10','a2','A1','b'].sort(new Intl.Collator('en',{numeric:true}).compare)",
  "[0,1,1.5,2,21].map(n=>new Intl.PluralRules('en').select(n))", "[1,2,3,4,11,12,13,21,22,101,111].map(n=>new Intl.PluralRules('en',{type:'ordinal'}).select(n))",
  "new Intl.PluralRules('en').resolvedOptions().pluralCategories",
  ...["", "{type:'disjunction'}", "{style:'short'}", "{style:'narrow'}", "{type:'unit'}", "{type:'unit',style:'narrow'}"].flatMap((options) => ["['a']", "['a','b']", "['a','b','c']"].map(
    (items) => `new Intl.ListFormat('en'${options && ","}${options}).format(${items})`)),
  "new Intl.ListFormat('en').format([1])", "[...new Intl.Segmenter('en').segment('a👨‍👩‍👧é🇩🇪x')].map(s=>s.segment)",
  "[...new Intl.Segmenter('en',{granularity:'word'}).segment(\"Don't stop, 3.5 cats!\")].map(s=>[s.segment,s.isWordLike])",
  "[...new Intl.Segmenter('en',{granularity:'sentence'}).segment('One. Two! Three?')].map(s=>s.segment)", "new Intl.Locale('en-Latn-US').language",
  "Object.prototype.toString.call(new Intl.NumberFormat())", "new Intl.NumberFormat() instanceof Intl.NumberFormat", "new Intl.NumberFormat().constructor===Intl.NumberFormat",
];
export const script = (list) => `export default { fetch() { const out = [], D = new Date(1790000000123), Z = new Date(0);
${list.map((one) => `try { out.push(${one}) } catch (error) { out.push(error.name + ': ' + error.message) }`).join("\n")}
return Response.json(out); } }`;

const miniflare = new Miniflare({ modules: true, script: script(expressions), compatibilityDate: "2026-04-01" });
const answers = await (await miniflare.dispatchFetch("http://intl/")).json();
await miniflare.dispose();
const lines = expressions.map((one, at) => ` [${JSON.stringify(one)}, ${JSON.stringify(answers[at])}]`);
writeFileSync(new URL("cases/intl.json", import.meta.url), `[\n${lines.join(",\n")}\n]\n`);
console.log(`${lines.length} expressions`);
