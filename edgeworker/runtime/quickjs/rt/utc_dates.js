// Date in UTC, whatever the machine's zone is: so it is in the Workers runtime.
export const NativeDate = globalThis.Date;
const readings = ["getFullYear", "getMonth", "getDate", "getHours", "getMinutes", "getSeconds", "getMilliseconds"].map((name) => NativeDate.prototype[name]);
const nativeParse = NativeDate.parse;

const HAS_ZONE = /(?:Z|GMT|UTC?|[ECMP][SD]T|[+-]\d{1,2}:?\d{2}|[+-]\d{4})\s*(?:\([^)]*\))?\s*$/i;
const DAY_ONLY = /^\s*[+-]?\d{4,6}(?:-\d{2}){0,2}\s*$/;
export function parseDate(text) {
  const time = nativeParse(text);
  if (Number.isNaN(time) || DAY_ONLY.test(text)) return time;
  // "10:00-0500" has a zone, and the day of "2024-01-05" is none.
  if (HAS_ZONE.test(text) && (/:/.test(text) || /[A-Z]\s*$/i.test(text) || /\)\s*$/.test(text))) return time;
  return toUTC(new NativeDate(time));
}

// The same reading of the clock, in UTC.
function toUTC(date) {
  const [year, ...rest] = readings.map((read) => read.call(date));
  const made = new NativeDate(NativeDate.UTC(2000, ...rest));
  return year === 2000 ? made.getTime() : made.setUTCFullYear(year, rest[0], rest[1]);
}

export function timeOf(values) {
  if (values.length === 1) {
    const value = values[0] instanceof NativeDate ? values[0].getTime() : values[0];
    const primitive = typeof value === "object" && value !== null ? (value[Symbol.toPrimitive]?.("default") ?? value.valueOf()) : value;
    if (typeof primitive === "string") return parseDate(primitive);
    return typeof primitive === "object" && primitive !== null ? parseDate(String(primitive)) : primitive;
  }
  return NativeDate.UTC(...values);
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");
function day(date) {
  const year = date.getUTCFullYear();
  const shown = (year < 0 ? "-" : "") + String(Math.abs(year)).padStart(4, "0");
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${shown}`;
}
const time = (date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} GMT+0000 (Coordinated Universal Time)`;

const replaced = {
  getTimezoneOffset() { return Number.isNaN(this.getTime()) ? NaN : 0; },
  toString() { return Number.isNaN(this.getTime()) ? "Invalid Date" : `${day(this)} ${time(this)}`; },
  toDateString() { return Number.isNaN(this.getTime()) ? "Invalid Date" : day(this); },
  toTimeString() { return Number.isNaN(this.getTime()) ? "Invalid Date" : time(this); },
  getYear() { return this.getUTCFullYear() - 1900; },
  setYear(year) { return this.setUTCFullYear(Number(year) >= 0 && Number(year) <= 99 ? 1900 + Math.trunc(year) : year); },
};
for (const part of ["FullYear", "Month", "Date", "Day", "Hours", "Minutes", "Seconds", "Milliseconds"]) {
  for (const verb of ["get", "set"]) {
    const same = NativeDate.prototype[`${verb}UTC${part}`];
    if (same !== undefined) replaced[`${verb}${part}`] = { [`${verb}${part}`](...values) { return same.apply(this, values); } }[`${verb}${part}`];
  }
}
for (const [name, value] of Object.entries(replaced)) {
  Object.defineProperty(NativeDate.prototype, name, { value, configurable: true, writable: true });
}
