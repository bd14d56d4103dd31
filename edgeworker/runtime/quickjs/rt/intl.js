// Intl for en-US: every other locale gets it too, as ECMA-402 says of one that an engine does not have. Loaded where a worker names it.
import { define, tag } from "edgeworker:host";
import { DateTimeFormat, RelativeTimeFormat } from "edgeworker:intl_dates";
import { DisplayNames, supportedValuesOf } from "edgeworker:intl_names";
import { NumberFormat, PluralRules, canonical, option, supported } from "edgeworker:intl_numbers";

class ListFormat {
  #options;
  constructor(_locales, options = {}) {
    this.#options = { locale: "en-US", type: option(options, "type", ["conjunction", "disjunction", "unit"], "conjunction"), style: option(options, "style", ["long", "short", "narrow"], "long") };
  }
  static supportedLocalesOf(locales) { return supported(locales); }
  resolvedOptions() { return { ...this.#options }; }
  formatToParts(items) {
    const all = [...items];
    const { type, style } = this.#options;
    const word = type === "disjunction" ? "or" : type === "unit" || style === "narrow" ? "" : style === "short" ? "&" : "and";
    const space = type === "unit" && style === "narrow" ? " " : ", ";
    const last = word === "" ? space : all.length === 2 ? ` ${word} ` : `, ${word} `;
    return all.flatMap((item, at) => {
      if (typeof item !== "string") throw new TypeError(`Iterable yielded ${String(item)} which is not a string`);
      const element = { type: "element", value: item };
      return at === 0 ? [element] : [{ type: "literal", value: at === all.length - 1 ? last : space }, element];
    });
  }
  format(items) { return this.formatToParts(items).map((part) => part.value).join(""); }
}

// Letters before their accents, accents before their case: an approximation of Unicode's collation that is right for English.
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "");
const MARKS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";  // in this order
function rank(character) {
  if (/\s/u.test(character)) return 0;
  if (!/[\p{P}\p{S}]/u.test(character)) return /\p{N}/u.test(character) ? 100 : 101;
  return 1 + (MARKS.includes(character) ? MARKS.indexOf(character) : MARKS.length);
}
function compareTexts(one, other) {
  const [a, b] = [[...one], [...other]];
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    if (a[at] === b[at]) continue;
    return rank(a[at]) - rank(b[at]) || (a[at] < b[at] ? -1 : 1);
  }
  return Math.sign(a.length - b.length);
}
const pieces = (text) => text.split(/(\d+)/);
function compareNumeric(one, other) {
  const [a, b] = [pieces(one), pieces(other)];
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const found = at % 2 === 1 ? Math.sign(Number(a[at]) - Number(b[at])) : compareTexts(a[at], b[at]);
    if (found !== 0) return found;
  }
  return Math.sign(a.length - b.length);
}
const CASE_FIRST = (one, other) => {
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    if (one[at] !== other[at]) return one[at] === one[at].toLowerCase() ? -1 : 1;
  }
  return 0;
};
class Collator {
  #options;
  constructor(_locales, options = {}) {
    this.#options = {
      locale: "en-US", usage: option(options, "usage", ["sort", "search"], "sort"), sensitivity: option(options, "sensitivity", ["base", "accent", "case", "variant"], "variant"),
      ignorePunctuation: Boolean(options.ignorePunctuation), collation: "default", numeric: Boolean(options.numeric), caseFirst: option(options, "caseFirst", ["upper", "lower", "false"], "false"),
    };
  }
  static supportedLocalesOf(locales) { return supported(locales); }
  resolvedOptions() { return { ...this.#options }; }
  get compare() {
    const { sensitivity, numeric, ignorePunctuation, caseFirst } = this.#options;
    return (first, second) => {
      const clean = (text) => (ignorePunctuation ? String(text).replace(/[\p{P}\s]/gu, "") : String(text)).normalize("NFD");
      const [one, other] = [clean(first), clean(second)];
      const [bare, otherBare] = [folded(one), folded(other)];
      const base = (numeric ? compareNumeric : compareTexts)(bare.toLowerCase(), otherBare.toLowerCase());
      if (base !== 0) return Math.sign(base);
      if (sensitivity === "accent" || sensitivity === "variant") {
        const accent = one.toLowerCase() === other.toLowerCase() ? 0 : one.toLowerCase() < other.toLowerCase() ? -1 : 1;
        if (accent !== 0) return accent;
      }
      if (sensitivity === "case" || sensitivity === "variant") return CASE_FIRST(bare, otherBare) * (caseFirst === "upper" ? -1 : 1);
      return 0;
    };
  }
}

// Characters as people see them: marks, joiners, emoji of several parts and pairs of flags stay together.
const GRAPHEME = /\r\n|\p{RI}\p{RI}|\p{Emoji}[\p{M}\u{FE0F}\u{1F3FB}-\u{1F3FF}]*(?:\u200d\p{Emoji}[\p{M}\u{FE0F}\u{1F3FB}-\u{1F3FF}]*)+|.[\p{M}\u{FE0F}\u{200D}\u{1F3FB}-\u{1F3FF}]*/gsu;
const SPLITS = { grapheme: GRAPHEME, word: /[\p{L}\p{N}_]+(?:['’.,](?=[\p{L}\p{N}])[\p{L}\p{N}_]+)*|\s+|./gsu, sentence: /[^.!?]+[.!?]*\s*|[.!?]+\s*/gsu };
class Segmenter {
  #granularity;
  constructor(_locales, options = {}) { this.#granularity = option(options, "granularity", ["grapheme", "word", "sentence"], "grapheme"); }
  static supportedLocalesOf(locales) { return supported(locales); }
  resolvedOptions() { return { locale: "en-US", granularity: this.#granularity }; }
  segment(given) {
    const input = String(given), isWord = this.#granularity === "word";
    const all = () => [...input.matchAll(SPLITS[this.#granularity])].map((found) => ({
      segment: found[0], index: found.index, input, ...(isWord ? { isWordLike: /[\p{L}\p{N}]/u.test(found[0]) } : {}),
    }));
    return { [Symbol.iterator]: () => all()[Symbol.iterator](), containing: (at = 0) => all().findLast((one) => one.index <= at && at < input.length) };
  }
}

class Locale {
  constructor(given) {
    [this.baseName] = canonical(String(given));
    const parts = this.baseName.split("-");
    this.language = parts[0];
    this.script = parts.find((part, at) => at > 0 && part.length === 4);
    this.region = parts.find((part, at) => at > 0 && /^([A-Z]{2}|\d{3})$/.test(part));
  }
  toString() { return this.baseName; }
  maximize() { return this; }
  minimize() { return this; }
}

const Intl = { getCanonicalLocales: (locales) => canonical(locales), supportedValuesOf: (key) => supportedValuesOf(String(key)) };
const constructors = { NumberFormat, PluralRules, DateTimeFormat, RelativeTimeFormat, ListFormat, Collator, Segmenter, Locale, DisplayNames };
for (const [name, value] of Object.entries(constructors)) {
  // Some are called without `new` by old code, which a class does not allow.
  const callable = function (...values) { return Reflect.construct(value, values, new.target ?? callable); };
  Object.setPrototypeOf(callable, value);
  callable.prototype = value.prototype;
  Object.defineProperty(callable, "name", { value: name });
  Object.defineProperty(value.prototype, "constructor", { value: callable, writable: true, configurable: true });
  tag(value, `Intl.${name}`);
  Object.defineProperty(Intl, name, { value: callable, writable: true, configurable: true });
}
Object.defineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });
define({ Intl });

const replace = (prototype, methods) => {
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
};
const dates = (required, defaults) => function toLocale(locales, options) {
  return Number.isNaN(this.getTime()) ? "Invalid Date" : new DateTimeFormat(locales, options, required, defaults).format(this);
};
replace(Date.prototype, { toLocaleString: dates("any", "all"), toLocaleDateString: dates("date", "date"), toLocaleTimeString: dates("time", "time") });
function toLocaleString(locales, options) { return new NumberFormat(locales, options).format(this.valueOf()); }
replace(Number.prototype, { toLocaleString });
replace(BigInt.prototype, { toLocaleString });
replace(String.prototype, { localeCompare(other, locales, options) { return new Collator(locales, options).compare(String(this), other); } });
