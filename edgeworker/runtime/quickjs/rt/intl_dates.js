// Intl.DateTimeFormat and Intl.RelativeTimeFormat for en-US. Zones are the edge's: the host tells their offsets.
import { host } from "edgeworker:host";
import { NumberFormat, PluralRules, option, supported, wholeOption } from "edgeworker:intl_numbers";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const ZONES = {
  "America/New_York": ["Eastern", "E"], "America/Detroit": ["Eastern", "E"], "America/Toronto": ["Eastern", "E"], "America/Chicago": ["Central", "C"],
  "America/Denver": ["Mountain", "M"], "America/Phoenix": ["Mountain", "M"], "America/Los_Angeles": ["Pacific", "P"], "America/Vancouver": ["Pacific", "P"],
};
const WIDTHS = ["narrow", "short", "long"];
const NUMBERS = ["numeric", "2-digit"];
const FIELDS = {
  weekday: WIDTHS, era: WIDTHS, year: NUMBERS, month: [...NUMBERS, ...WIDTHS], day: NUMBERS, dayPeriod: WIDTHS, hour: NUMBERS, minute: NUMBERS, second: NUMBERS,
  timeZoneName: ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"],
};
const STYLES = {
  date: {
    full: { weekday: "long", year: "numeric", month: "long", day: "numeric" }, long: { year: "numeric", month: "long", day: "numeric" },
    medium: { year: "numeric", month: "short", day: "numeric" }, short: { year: "2-digit", month: "numeric", day: "numeric" },
  },
  time: {
    full: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "long" }, long: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
    medium: { hour: "numeric", minute: "2-digit", second: "2-digit" }, short: { hour: "numeric", minute: "2-digit" },
  },
};
const two = (number) => String(number).padStart(2, "0");
const numeric = (number, width) => (width === "2-digit" ? two(number % 100) : String(number));
const named = (name, width) => (width === "long" ? name : width === "short" ? name.slice(0, 3) : name[0]);

// [minutes east of UTC, whether summer time is on]
function zoneAt(zone, time) {
  const told = host.zone(zone, time);
  return told === null ? null : JSON.parse(told);
}
function offsetName(minutes, isLong) {
  if (minutes === 0) return "GMT";
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `GMT${minutes < 0 ? "-" : "+"}${isLong ? two(hours) : hours}${rest !== 0 || isLong ? `:${two(rest)}` : ""}`;
}
function zoneName(zone, [minutes, isSummer], form) {
  if (form.endsWith("Offset")) return offsetName(minutes, form === "longOffset");
  if (zone === "UTC") return form.startsWith("long") ? "Coordinated Universal Time" : "UTC";
  const known = ZONES[zone];
  if (known === undefined) return offsetName(minutes, form.startsWith("long"));
  const kind = form.endsWith("Generic") ? "" : isSummer ? "Daylight" : "Standard";
  return form.startsWith("long") ? [known[0], kind, "Time"].filter(Boolean).join(" ") : `${known[1]}${kind[0] ?? ""}T`;
}

export class DateTimeFormat {
  #fields;
  #zone;
  #cycle;
  #styles;
  #digits;
  constructor(locales, given = {}, required = "any", defaults = "date") {
    if (given === null) throw new TypeError("Cannot convert undefined or null to object");
    if (new.target === undefined) return new DateTimeFormat(locales, given);
    const zone = given.timeZone === undefined ? "UTC" : String(given.timeZone);
    const found = /^(etc\/)?(utc|gmt)$/i.test(zone) ? "UTC" : zone;
    if (found !== "UTC" && !/^[+-]\d{2}:?\d{2}$/.test(found) && zoneAt(found, 0) === null) throw new RangeError(`Invalid time zone specified: ${zone}`);
    this.#zone = found;
    const styles = { date: option(given, "dateStyle", ["full", "long", "medium", "short"], undefined, "DateTimeFormat"), time: option(given, "timeStyle", ["full", "long", "medium", "short"], undefined, "DateTimeFormat") };
    const fields = {};
    for (const [name, values] of Object.entries(FIELDS)) {
      const value = option(given, name, values, undefined, "DateTimeFormat");
      if (value !== undefined) fields[name] = value;
    }
    this.#digits = wholeOption(given, "fractionalSecondDigits", 1, 3, 0);
    if (styles.date !== undefined || styles.time !== undefined) {
      if (Object.keys(fields).length > 0 || this.#digits > 0) throw new TypeError("Invalid option : option");  // V8's text
      this.#styles = styles;
      Object.assign(fields, STYLES.date[styles.date], STYLES.time[styles.time]);
    } else {
      const has = (...names) => names.some((name) => fields[name] !== undefined);
      const isGiven = (required !== "time" && has("weekday", "year", "month", "day")) || (required !== "date" && (has("dayPeriod", "hour", "minute", "second") || this.#digits > 0));
      if (!isGiven && defaults !== "time") Object.assign(fields, { year: "numeric", month: "numeric", day: "numeric" });
      if (!isGiven && defaults !== "date") Object.assign(fields, { hour: "numeric", minute: "2-digit", second: "2-digit" });
    }
    const cycle = option(given, "hourCycle", ["h11", "h12", "h23", "h24"], "h12", "DateTimeFormat");
    this.#cycle = given.hour12 === undefined ? cycle : given.hour12 ? "h12" : "h23";
    if (fields.hour !== undefined || fields.second !== undefined) {
      if (fields.minute !== undefined) fields.minute = "2-digit";
    }
    if (fields.minute !== undefined && fields.second !== undefined) fields.second = "2-digit";
    if (fields.hour !== undefined && this.#cycle > "h13") fields.hour = "2-digit";
    this.#fields = fields;
  }
  static supportedLocalesOf(locales) { return supported(locales); }
  get format() { return (date) => this.formatToParts(date).map((part) => part.value).join(""); }
  formatRange(from, to) {
    const [one, other] = [this.format(from), this.format(to)];
    return one === other ? one : `${one} – ${other}`;
  }
  formatToParts(date) {
    const time = date === undefined ? Date.now() : Number(date);
    if (!Number.isFinite(time) || Math.abs(time) > 8.64e15) throw new RangeError("Invalid time value");
    const zone = this.#zone === "UTC" ? [0, false] : this.#fixed() ?? zoneAt(this.#zone, time);
    const local = new Date(time + zone[0] * 60_000);
    const days = this.#dayParts(local), clock = this.#clockParts(local, zone);
    if (days.length === 0 || clock.length === 0) return [...days, ...clock];
    const isLong = this.#styles === undefined ? this.#fields.month === "long" : ["full", "long"].includes(this.#styles.date);
    return [...days, { type: "literal", value: isLong ? " at " : ", " }, ...clock];
  }
  #fixed() {
    const found = /^([+-])(\d{2}):?(\d{2})$/.exec(this.#zone);
    return found === null ? null : [(found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])), false];
  }
  #dayParts(local) {
    const { weekday, era, year, month, day } = this.#fields;
    const years = local.getUTCFullYear();
    const part = {
      weekday: weekday && { type: "weekday", value: named(DAYS[local.getUTCDay()], weekday) },
      year: year && { type: "year", value: numeric(years > 0 || era === undefined ? years : 1 - years, year) },
      day: day && { type: "day", value: numeric(local.getUTCDate(), day) },
    };
    const parts = [];
    const add = (one, before) => {
      if (one === undefined) return;
      if (parts.length > 0) parts.push({ type: "literal", value: before });
      parts.push(one);
    };
    if (month !== undefined && WIDTHS.includes(month)) {
      add(part.weekday);
      add({ type: "month", value: named(MONTHS[local.getUTCMonth()], month) }, ", ");
      add(part.day, " ");
      add(part.year, part.day === undefined ? " " : ", ");
    } else {
      if (month === undefined && day !== undefined && year === undefined && weekday !== undefined) {
        add(part.day);
        add(part.weekday, " ");
        return parts;
      }
      add(part.weekday);
      if (month !== undefined) add({ type: "month", value: numeric(local.getUTCMonth() + 1, month) }, ", ");
      add(part.day, month === undefined ? ", " : "/");
      add(part.year, month === undefined && day === undefined ? ", " : "/");
    }
    if (era !== undefined) add({ type: "era", value: (years > 0 ? ["A", "AD", "Anno Domini"] : ["B", "BC", "Before Christ"])[WIDTHS.indexOf(era)] }, " ");
    return parts;
  }
  #clockParts(local, zone) {
    const { hour, minute, second, timeZoneName } = this.#fields;
    const parts = [];
    const add = (one, before) => {
      if (parts.length > 0) parts.push({ type: "literal", value: before });
      parts.push(one);
    };
    const isHalf = this.#cycle === "h12" || this.#cycle === "h11";
    const hours = local.getUTCHours();
    if (hour !== undefined) {
      const shown = { h11: hours % 12, h12: hours % 12 || 12, h23: hours, h24: hours || 24 }[this.#cycle];
      add({ type: "hour", value: hour === "2-digit" || !isHalf ? two(shown) : String(shown) });
    }
    if (minute !== undefined) add({ type: "minute", value: hour !== undefined || second !== undefined ? two(local.getUTCMinutes()) : String(local.getUTCMinutes()) }, ":");
    if (second !== undefined) add({ type: "second", value: minute !== undefined ? two(local.getUTCSeconds()) : String(local.getUTCSeconds()) }, ":");
    if (this.#digits > 0) add({ type: "fractionalSecond", value: String(local.getUTCMilliseconds()).padStart(3, "0").slice(0, this.#digits) }, ".");
    if (hour !== undefined && isHalf) add({ type: "dayPeriod", value: hours < 12 ? "AM" : "PM" }, " ");
    if (timeZoneName !== undefined) {
      const name = { type: "timeZoneName", value: zoneName(this.#zone, zone, timeZoneName) };
      add(name, parts.length > 0 ? " " : ", ");
    }
    return parts;
  }
  resolvedOptions() {
    const { hour, ...rest } = { ...this.#fields, ...(this.#digits > 0 && { fractionalSecondDigits: this.#digits }) };
    const base = { locale: "en-US", calendar: "gregory", numberingSystem: "latn", timeZone: this.#zone };
    if (this.#styles !== undefined) {
      const clock = this.#styles.time === undefined ? {} : { hourCycle: this.#cycle, hour12: this.#cycle < "h13" };
      return { ...base, ...clock, ...(this.#styles.date && { dateStyle: this.#styles.date }), ...(this.#styles.time && { timeStyle: this.#styles.time }) };
    }
    return { ...base, ...(hour === undefined ? {} : { hourCycle: this.#cycle, hour12: this.#cycle < "h13", hour }), ...rest };
  }
}

const UNIT = /^(second|minute|hour|day|week|month|quarter|year)s?$/;
const SHORT = { second: "sec.", minute: "min.", hour: "hr.", week: "wk.", month: "mo.", quarter: "qtr.", year: "yr." };
const AUTO = {
  day: { "-1": "yesterday", 0: "today", 1: "tomorrow" }, second: { 0: "now" },
  ...Object.fromEntries(["minute", "hour"].map((unit) => [unit, { 0: `this ${unit}` }])),
  ...Object.fromEntries(["week", "month", "quarter", "year"].map((unit) => [unit, { "-1": `last ${unit}`, 0: `this ${unit}`, 1: `next ${unit}` }])),
};
export class RelativeTimeFormat {
  #options;
  constructor(_locales, options = {}) {
    this.#options = { locale: "en-US", style: option(options, "style", ["long", "short", "narrow"], "long", "RelativeTimeFormat"), numeric: option(options, "numeric", ["always", "auto"], "always", "RelativeTimeFormat"), numberingSystem: "latn" };
  }
  static supportedLocalesOf(locales) { return supported(locales); }
  resolvedOptions() { return { ...this.#options }; }
  format(value, unit) {
    const name = UNIT.exec(String(unit))?.[1];
    if (name === undefined) throw new RangeError(`Invalid unit argument for Intl.RelativeTimeFormat.prototype.format() '${unit}'`);
    const number = Number(value);
    if (!Number.isFinite(number)) throw new RangeError("Invalid value");
    const known = AUTO[name][Object.is(number, -0) ? 0 : number];
    if (this.#options.numeric === "auto" && known !== undefined) return known;
    const count = new NumberFormat().format(Math.abs(number));
    const isOne = new PluralRules().select(Math.abs(number)) === "one";
    const long = `${name}${isOne ? "" : "s"}`;
    const short = name === "quarter" && !isOne ? "qtrs." : SHORT[name] ?? long;
    const shown = `${count} ${this.#options.style === "long" ? long : short}`;
    return number < 0 || Object.is(number, -0) ? `${shown} ago` : `in ${shown}`;
  }
}
