// Formats times and durations. Times are seconds since 1970.

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const DAY_TIME = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const DATE = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric" });
// Dates of readings, which are in UTC and not in the browser's time zone.
const READING_DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });
const READING_DATE = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" });
// Units of an age: seconds, singular and plural.
const AGES = [[31556952, " year", " years"], [86400, " day", " days"], [3600, " h", " h"], [60, " min", " min"], [1, " s", " s"]];
const HALF_A_DAY = 12 * 3600;

// The time of day. A dash for a time that is missing or beyond the calendar: Intl would throw an error.
export function clock(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "–" : TIME.format(date);
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

// Whether readings with this step (seconds) have dates and no times of day.
export function areDates(step) {
  return step >= HALF_A_DAY;
}

// The day, and the year if it differs from that of `now`.
export function day(seconds, now) {
  const date = new Date(seconds * 1000);
  return (date.getFullYear() === new Date(now * 1000).getFullYear() ? DAY : DATE).format(date);
}

export function sameDay(first, second) {
  return new Date(first * 1000).toDateString() === new Date(second * 1000).toDateString();
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

// A duration as number and unit: ["3.4", "s"].
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return ["–", ""];
  if (seconds < 0.9995) return [String(Math.round(seconds * 1000)), "ms"];
  if (seconds < 99.5) return [seconds.toFixed(seconds < 9.95 ? 1 : 0), "s"];
  if (seconds < 5970) return [String(Math.round(seconds / 60)), "min"];
  return [String(Math.round(seconds / 3600)), "h"];
}

// A duration in its largest whole unit: "12 s", "34 min", "5 h", "3 days", "2 years".
export function age(seconds) {
  for (const [size, singular, plural] of AGES) {
    const number = Math.floor(seconds / size);
    if (number >= 1) return number + (number === 1 ? singular : plural);
  }
  return "0 s";
}

// "12 s ago", "in 3 days".
export function ago(seconds) {
  if (Math.abs(seconds) < 2) return "just now";
  return seconds < 0 ? `in ${age(-seconds)}` : `${age(seconds)} ago`;
}
