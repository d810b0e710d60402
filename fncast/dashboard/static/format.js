// Formats numbers and times.

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
// Units that take an SI prefix themselves: 3.4 MB/s, but 3.4k orders/h.
const PREFIXABLE = /^(B|b|bit|byte|W|Wh|Hz|V|A|J|g|m|s|l)(\/\w+)?$/;
const PLAIN_BELOW = 1e4;
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY_TIME = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const DATE = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
// Dates of readings, which are in UTC and not in the browser's time zone.
const READING_DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });
const READING_DATE = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
const AGES = [[31556952, " year", " years"], [86400, " day", " days"], [3600, " h", " h"], [60, " min", " min"], [1, " s", " s"]];
const HALF_A_DAY = 12 * 3600;

export function count(number) {
  return number >= 1e6 ? scaled(number, 3).join("") : number.toLocaleString("en");
}

// Returns number and unit: ["3.41", "MB/s"]. step: the smallest difference that must be visible.
export function quantity(value, unit, step = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return ["–", unit];
  if (step > 0 && Math.abs(value) >= PLAIN_BELOW && step / Math.abs(value) < 1e-3) {
    return [value.toLocaleString("en", { maximumFractionDigits: step < 1 ? 1 : 0 }), unit];
  }
  const [digits, prefix] = scaled(value, step > 0 && Math.abs(value) < PLAIN_BELOW ? figures(value, step) : 3);
  return PREFIXABLE.test(unit) ? [digits, prefix + unit] : [digits + prefix, unit];
}

export function withUnit(value, unit, step) {
  return quantity(value, unit, step).filter(Boolean).join(" ");
}

function figures(value, step) {
  const needed = Math.ceil(Math.log10(Math.abs(value) / step)) + 1;
  return Math.min(6, Math.max(3, needed || 3));
}

function scaled(value, significant) {
  const size = Math.abs(value);
  if (size < PLAIN_BELOW) return [plain(value, significant), ""];
  for (const [floor, prefix] of PREFIXES) {
    if (size >= floor) return [plain(value / floor, significant), prefix];
  }
  return [plain(value, significant), ""];
}

function plain(value, significant) {
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(2);
  if (size !== 0 && size < 1e-4) return value.toExponential(1);
  const whole = size < 1 ? 1 : Math.floor(Math.log10(size)) + 1;
  const decimals = Number.isInteger(value) ? 0 : Math.max(0, significant - whole);
  return value.toLocaleString("en", { maximumFractionDigits: decimals });
}

// Labels of an axis, with as many digits as the increment needs. Far from 0: the distance from the first label.
export function axisLabels(splits, unit) {
  if (splits.length < 2) return splits.map((value) => withUnit(value, unit));
  const step = splits[1] - splits[0];
  const largest = Math.max(Math.abs(splits[0]), Math.abs(splits.at(-1)));
  if (largest >= PLAIN_BELOW && step / largest < 1e-3) {
    return splits.map((value) => (value === splits[0] ? "±0" : "+" + plain(value - splits[0], 3)));
  }
  const [floor, prefix] = PREFIXES.find(([size]) => largest >= size && largest >= PLAIN_BELOW) ?? [1, ""];
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step / floor) + 1e-9)));
  return splits.map((value) => (value / floor).toLocaleString("en", { maximumFractionDigits: decimals }) + (value ? prefix : ""));
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return ["–", ""];
  if (seconds < 0.9995) return [String(Math.round(seconds * 1000)), "ms"];
  if (seconds < 99.5) return [seconds.toFixed(seconds < 9.95 ? 1 : 0), "s"];
  if (seconds < 5970) return [String(Math.round(seconds / 60)), "min"];
  return [String(Math.round(seconds / 3600)), "h"];
}

// The label of a time axis at `at`. A second line has the day or year where it changes.
// dates: whether the readings have dates (in UTC) and no times of day.
export function axisMoment(at, before, increment, now, dates) {
  const date = new Date(at * 1000);
  const year = (seconds) => (dates ? new Date(seconds * 1000).getUTCFullYear() : new Date(seconds * 1000).getFullYear());
  if (increment >= 86400 * 360) return String(year(at));
  if (increment >= 43200) return (dates ? READING_DAY : DAY).format(date) + (year(at) === year(before ?? now) ? "" : `\n${year(at)}`);
  return (increment < 60 ? clock(at) : HOUR.format(date)) + (sameDay(at, before ?? now) ? "" : `\n${day(at, now)}`);
}

export function rate(perSecond) {
  return perSecond < 99.95 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

export function clock(seconds) {
  return TIME.format(seconds * 1000);
}

// A duration in its largest whole unit: "12 s", "34 min", "5 h", "3 days", "2 years".
export function age(seconds) {
  for (const [size, one, many] of AGES) {
    const number = Math.floor(seconds / size);
    if (number >= 1) return number + (number === 1 ? one : many);
  }
  return "0 s";
}

// "12 s ago", "in 3 days".
export function ago(seconds) {
  if (Math.abs(seconds) < 2) return "just now";
  return seconds < 0 ? `in ${age(-seconds)}` : `${age(seconds)} ago`;
}

// The day, and the year if it differs from that of `now`.
export function day(seconds, now) {
  const date = new Date(seconds * 1000);
  return (date.getFullYear() === new Date(now * 1000).getFullYear() ? DAY : DATE).format(date);
}

export function sameDay(one, other) {
  return new Date(one * 1000).toDateString() === new Date(other * 1000).toDateString();
}

// Whether readings with this step (seconds) have dates and no times of day.
export function areDates(step) {
  return step >= HALF_A_DAY;
}

// The time of a reading, with the date unless it is today or this week.
// step: seconds between readings. offset: of the readings' dates from UTC in seconds. Dates do not depend on the
// browser's time zone, so that the last day of a month stays the last day.
export function moment(seconds, step, now, offset = 0) {
  if (areDates(step)) return READING_DATE.format((seconds + offset) * 1000);
  if (step < 60 && sameDay(seconds, now)) return clock(seconds);
  if (step >= 60 && Math.abs(now - seconds) < 6 * 86400) return DAY_TIME.format(seconds * 1000);
  return `${day(seconds, now)}, ${step < 60 ? clock(seconds) : HOUR.format(seconds * 1000)}`;
}

export function percent(share) {
  return `${Math.round(share * 100)} %`;
}
