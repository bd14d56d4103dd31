// Intl.NumberFormat and Intl.PluralRules for en-US. Source: https://tc39.es/ecma402/, CLDR's English data.
const SYMBOLS = {
  USD: "$", EUR: "€", GBP: "£", JPY: "¥", INR: "₹", CNY: "CN¥", KRW: "₩", BRL: "R$", CAD: "CA$", AUD: "A$", MXN: "MX$", NZD: "NZ$",
  ILS: "₪", VND: "₫", TWD: "NT$", HKD: "HK$", PHP: "₱", XAF: "FCFA", XOF: "F CFA", XPF: "CFPF", XCD: "EC$",
};
const NARROW = { CAD: "$", AUD: "$", MXN: "$", NZD: "$", TWD: "$", HKD: "$", CNY: "¥", XCD: "$", RUB: "₽", TRY: "₺", UAH: "₴", PLN: "zł", SEK: "kr", NOK: "kr", DKK: "kr", CZK: "Kč" };
const NAMES = {
  USD: ["US dollar", "US dollars"], EUR: ["euro", "euros"], GBP: ["British pound", "British pounds"], JPY: ["Japanese yen", "Japanese yen"],
  CHF: ["Swiss franc", "Swiss francs"], CAD: ["Canadian dollar", "Canadian dollars"], AUD: ["Australian dollar", "Australian dollars"],
};
const NO_DIGITS = new Set(["JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF", "XPF", "UGX", "PYG", "RWF", "DJF", "GNF", "KMF", "BIF", "VUV"]);
const THREE_DIGITS = new Set(["KWD", "BHD", "OMR", "JOD", "TND", "LYD", "IQD"]);
const UNITS = {
  byte: ["byte", "byte", "byte", "bytes"], kilobyte: ["kB", "kB", "kilobyte", "kilobytes"], megabyte: ["MB", "MB", "megabyte", "megabytes"],
  gigabyte: ["GB", "GB", "gigabyte", "gigabytes"], terabyte: ["TB", "TB", "terabyte", "terabytes"], bit: ["bit", "bit", "bit", "bits"],
  second: ["sec", "sec", "second", "seconds"], minute: ["min", "min", "minute", "minutes"], hour: ["hr", "hr", "hour", "hours"],
  day: ["day", "days", "day", "days"], week: ["wk", "wks", "week", "weeks"], month: ["mth", "mths", "month", "months"], year: ["yr", "yrs", "year", "years"],
  millisecond: ["ms", "ms", "millisecond", "milliseconds"], kilometer: ["km", "km", "kilometer", "kilometers"], meter: ["m", "m", "meter", "meters"],
  centimeter: ["cm", "cm", "centimeter", "centimeters"], mile: ["mi", "mi", "mile", "miles"], kilogram: ["kg", "kg", "kilogram", "kilograms"],
  gram: ["g", "g", "gram", "grams"], pound: ["lb", "lb", "pound", "pounds"], liter: ["L", "L", "liter", "liters"],
  celsius: ["°C", "°C", "degree Celsius", "degrees Celsius"], fahrenheit: ["°F", "°F", "degree Fahrenheit", "degrees Fahrenheit"],
  percent: ["%", "%", "percent", "percent"], "kilometer-per-hour": ["km/h", "km/h", "kilometer per hour", "kilometers per hour"],
};
const TOUCHING = new Set(["celsius", "fahrenheit", "percent"]);
const COMPACT = [["T", "trillion", 12], ["B", "billion", 9], ["M", "million", 6], ["K", "thousand", 3]];

export function option(options, name, values, fallback, of = "NumberFormat") {
  const value = options[name];
  if (value === undefined) return fallback;
  const text = String(value);
  if (values !== undefined && !values.includes(text)) throw new RangeError(`Value ${text} out of range for Intl.${of} options property ${name}`);
  return text;
}
export function wholeOption(options, name, low, high, fallback) {
  const value = options[name];
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!(number >= low && number <= high)) throw new RangeError(`${name} value is out of range.`);
  return Math.floor(number);
}

// [digits, exponent]: the value is 0.DIGITS times ten to the exponent.
function decimal(value) {
  const text = typeof value === "bigint" ? String(value) : Math.abs(value).toString();
  const [, whole, fraction = "", power = "0"] = /^-?(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(text);
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  if (digits === "") return ["", 0];
  return [digits.replace(/0+$/, ""), whole.length + Number(power) - (all.length - digits.length)];
}
function roundAt([digits, exponent], place) {
  if (place >= digits.length) return [digits, exponent];
  if (place < 0) return ["", 0];
  const kept = digits.slice(0, place);
  if (digits[place] < "5") return [kept.replace(/0+$/, ""), kept === "" ? 0 : exponent];
  const up = String(BigInt(kept || "0") + 1n);
  return [up.replace(/0+$/, ""), exponent + (up.length > kept.length ? 1 : 0)];
}
const split = ([digits, exponent]) => exponent <= 0
  ? ["0", digits === "" ? "" : "0".repeat(-exponent) + digits]
  : [digits.slice(0, exponent).padEnd(exponent, "0"), digits.slice(exponent)];

export class NumberFormat {
  #options;
  constructor(_locales, given = {}) {
    if (given === null) throw new TypeError("Cannot convert undefined or null to object");
    if (new.target === undefined) return new NumberFormat(_locales, given);
    const style = option(given, "style", ["decimal", "percent", "currency", "unit"], "decimal");
    const currency = given.currency === undefined ? undefined : String(given.currency).toUpperCase();
    if (currency !== undefined && !/^[A-Z]{3}$/.test(currency)) throw new RangeError(`Invalid currency code : ${given.currency}`);
    if (style === "currency" && currency === undefined) throw new TypeError("Currency code is required with currency style.");
    const unit = given.unit === undefined ? undefined : String(given.unit);
    if (style === "unit" && unit === undefined) throw new TypeError("Required unit is missing");
    if (unit !== undefined && UNITS[unit] === undefined) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}' (the embedded JavaScript engine knows the common ones; workerd knows all)`);
    const notation = option(given, "notation", ["standard", "scientific", "engineering", "compact"], "standard");
    const usual = currency !== undefined && style === "currency" ? (NO_DIGITS.has(currency) ? 0 : THREE_DIGITS.has(currency) ? 3 : 2) : 0;
    const most = style === "currency" ? usual : style === "percent" ? 0 : 3;
    const low = wholeOption(given, "minimumFractionDigits", 0, 100, undefined);
    const high = wholeOption(given, "maximumFractionDigits", 0, 100, undefined);
    if (low !== undefined && high !== undefined && low > high) throw new RangeError("maximumFractionDigits value is out of range.");
    const significant = given.minimumSignificantDigits !== undefined || given.maximumSignificantDigits !== undefined;
    const minimumSignificantDigits = wholeOption(given, "minimumSignificantDigits", 1, 21, 1);
    this.#options = {
      locale: "en-US", numberingSystem: "latn", style,
      ...(style === "currency" ? {
        currency, currencyDisplay: option(given, "currencyDisplay", ["code", "symbol", "narrowSymbol", "name"], "symbol"),
        currencySign: option(given, "currencySign", ["standard", "accounting"], "standard"),
      } : {}),
      ...(style === "unit" ? { unit, unitDisplay: option(given, "unitDisplay", ["short", "narrow", "long"], "short") } : {}),
      minimumIntegerDigits: wholeOption(given, "minimumIntegerDigits", 1, 21, 1),
      ...(significant ? {
        minimumSignificantDigits,
        maximumSignificantDigits: wholeOption(given, "maximumSignificantDigits", minimumSignificantDigits, 21, 21),
      } : {
        minimumFractionDigits: low ?? (notation === "compact" ? 0 : Math.min(usual, high ?? usual)),
        maximumFractionDigits: high ?? (notation === "compact" && low === undefined ? 0 : Math.max(low ?? 0, most)),
      }),
      useGrouping: given.useGrouping === undefined ? (notation === "compact" ? "min2" : "auto") : ["false", "true", "always", "auto", "min2"].includes(String(given.useGrouping)) ? (given.useGrouping === true ? "always" : given.useGrouping) : "auto",
      notation,
      ...(notation === "compact" ? { compactDisplay: option(given, "compactDisplay", ["short", "long"], "short") } : {}),
      signDisplay: option(given, "signDisplay", ["auto", "never", "always", "exceptZero", "negative"], "auto"),
      roundingIncrement: 1, roundingMode: "halfExpand", roundingPriority: "auto", trailingZeroDisplay: "auto",
    };
    // How a compact number is rounded without options of its own: to a whole number, or to two digits.
    this.#options.roundsCompact = notation === "compact" && low === undefined && high === undefined && !significant;
  }
  static supportedLocalesOf(locales) { return supported(locales); }
  get format() { return (value) => this.formatToParts(value).map((part) => part.value).join(""); }
  formatRange(low, high) { return `${this.format(low)}–${this.format(high)}`; }
  resolvedOptions() {
    const { roundsCompact, ...rest } = this.#options;
    return rest;
  }
  #round(number) {
    const { maximumSignificantDigits, maximumFractionDigits, roundsCompact } = this.#options;
    if (maximumSignificantDigits !== undefined) return roundAt(number, maximumSignificantDigits);
    if (roundsCompact) return roundAt(number, Math.max(2, number[1]));
    return roundAt(number, number[1] + maximumFractionDigits);
  }
  #digits(number) {
    const { minimumSignificantDigits, minimumFractionDigits = 0, minimumIntegerDigits, useGrouping } = this.#options;
    let [whole, fraction] = split(number);
    if (minimumSignificantDigits === undefined) fraction = fraction.padEnd(minimumFractionDigits, "0");
    else {
      const have = whole === "0" ? fraction.replace(/^0+/, "").length || 1 : whole.length + fraction.length;
      fraction = fraction.padEnd(fraction.length + Math.max(0, minimumSignificantDigits - have), "0");
    }
    whole = whole.padStart(minimumIntegerDigits, "0");
    const groups = String(useGrouping) !== "false" && whole.length > (useGrouping === "min2" ? 4 : 3);
    const parts = [];
    for (const [at, group] of (groups ? whole.replace(/\B(?=(\d{3})+$)/g, ",").split(",") : [whole]).entries()) {
      if (at > 0) parts.push({ type: "group", value: "," });
      parts.push({ type: "integer", value: group });
    }
    if (fraction !== "") parts.push({ type: "decimal", value: "." }, { type: "fraction", value: fraction });
    return parts;
  }
  #number(value) {
    const { notation, style, compactDisplay } = this.#options;
    let number = decimal(value);
    if (style === "percent" && number[0] !== "") number = [number[0], number[1] + 2];
    if (notation === "standard") return this.#digits(this.#round(number));
    if (notation === "compact") {
      for (const [at, [short, long, power]] of COMPACT.entries()) {
        if (number[1] <= power) {
          // What rounds up to a thousand belongs to this one: 999,999 is 1M.
          const below = COMPACT[at + 1]?.[2] ?? 0;
          if (number[1] <= power - 1 || this.#round([number[0], number[1] - below])[1] <= power - below) continue;
        }
        const parts = this.#digits(this.#round([number[0], number[1] - power]));
        const suffix = { type: "compact", value: compactDisplay === "long" ? long : short };
        return compactDisplay === "long" ? [...parts, { type: "literal", value: " " }, suffix] : [...parts, suffix];
      }
      return this.#digits(this.#round(number));
    }
    let power = number[0] === "" ? 0 : number[1] - 1;
    const round = () => {
      if (notation === "engineering") power = Math.floor(power / 3) * 3;
      return this.#round([number[0], number[1] - power]);
    };
    let rounded = round();
    if (notation === "scientific" && rounded[1] > 1) {  // 9.9995 became 10
      power += 1;
      rounded = round();
    }
    const parts = this.#digits(rounded);
    parts.push({ type: "exponentSeparator", value: "E" });
    if (power < 0) parts.push({ type: "exponentMinusSign", value: "-" });
    return [...parts, { type: "exponentInteger", value: String(Math.abs(power)) }];
  }
  formatToParts(given) {
    const o = this.#options;
    const value = typeof given === "bigint" ? given : typeof given === "string" && /^-?\d{16,}$/.test(given) ? BigInt(given) : Number(given);
    const isNegative = value < 0 || Object.is(value, -0);
    const parts = Number.isNaN(value) ? [{ type: "nan", value: "NaN" }]
      : value === Infinity || value === -Infinity ? [{ type: "infinity", value: "∞" }] : this.#number(value);
    const isZero = parts.every((part) => !["integer", "fraction"].includes(part.type) || /^0+$/.test(part.value));
    const sign = { auto: isNegative ? "-" : "", never: "", always: isNegative ? "-" : "+", exceptZero: isZero && !parts.some((part) => part.type === "infinity") ? "" : isNegative ? "-" : "+", negative: isNegative && !isZero ? "-" : "" }[o.signDisplay];
    const isOne = parts.length === 1 && parts[0].value === "1";
    if (o.style === "percent") parts.push({ type: "percentSign", value: "%" });
    if (o.style === "unit") {
      const [short, shorts, long, longs] = UNITS[o.unit];
      const name = o.unitDisplay === "long" ? (isOne ? long : longs) : isOne ? short : shorts;
      if (o.unitDisplay === "long" || (o.unitDisplay === "short" && !TOUCHING.has(o.unit))) parts.push({ type: "literal", value: " " });
      parts.push({ type: TOUCHING.has(o.unit) && o.unit === "percent" ? "percentSign" : "unit", value: name });
    }
    if (o.style === "currency" && o.currencyDisplay === "name") {
      const names = NAMES[o.currency];
      parts.push({ type: "literal", value: " " }, { type: "currency", value: names === undefined ? o.currency : names[isOne ? 0 : 1] });
    } else if (o.style === "currency") {
      const known = o.currencyDisplay === "code" ? undefined : o.currencyDisplay === "narrowSymbol" ? NARROW[o.currency] ?? SYMBOLS[o.currency] : SYMBOLS[o.currency];
      const symbol = known ?? o.currency;
      if (/[A-Za-z]$/.test(symbol) && parts[0].type === "integer") parts.unshift({ type: "literal", value: "\u00a0" });
      parts.unshift({ type: "currency", value: symbol });
    }
    if (sign === "-" && o.currencySign === "accounting") return [{ type: "literal", value: "(" }, ...parts, { type: "literal", value: ")" }];
    if (sign !== "") parts.unshift({ type: sign === "-" ? "minusSign" : "plusSign", value: sign });
    return parts;
  }
}

export class PluralRules {
  #type;
  #format;
  constructor(_locales, options = {}) {
    this.#type = option(options, "type", ["cardinal", "ordinal"], "cardinal", "PluralRules");
    this.#format = new NumberFormat("en-US", options);
  }
  static supportedLocalesOf(locales) { return supported(locales); }
  select(value) {
    const number = Number(value);
    if (this.#type === "cardinal") return this.#format.format(number).replace("-", "") === "1" ? "one" : "other";
    const [tens, ones] = [Math.abs(number) % 100, Math.abs(number) % 10];
    if (ones === 1 && tens !== 11) return "one";
    if (ones === 2 && tens !== 12) return "two";
    return ones === 3 && tens !== 13 ? "few" : "other";
  }
  resolvedOptions() {
    return { locale: "en-US", type: this.#type, pluralCategories: this.#type === "cardinal" ? ["one", "other"] : ["few", "one", "two", "other"] };
  }
}

// The locales asked for that this engine has: all others get en-US, as ECMA-402 says.
export function canonical(locales) {
  if (locales === undefined) return [];
  const list = typeof locales === "string" || locales instanceof Object === false ? [locales] : Array.isArray(locales) ? locales : [locales];
  return [...new Set(list.map((locale) => {
    const tag = String(locale);
    if (!/^[a-z]{2,3}(-[a-z0-9]{1,8})*$/i.test(tag)) throw new RangeError(`Invalid language tag: ${tag}`);
    return tag.split("-").map((part, at) => (at === 0 ? part.toLowerCase() : part.length === 4 && /^[a-z]+$/i.test(part) ? part[0].toUpperCase() + part.slice(1).toLowerCase() : part.length === 2 ? part.toUpperCase() : part.toLowerCase())).join("-");
  }))];
}
export const supported = (locales) => canonical(locales).filter((locale) => locale === "en" || locale === "en-US");
