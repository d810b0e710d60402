// Formats numbers.

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
// Units that take an SI prefix themselves: 3.4 MB/s, but 3.4k orders/h.
const PREFIXABLE = /^(B|b|bit|byte|W|Wh|Hz|V|A|J|g|m|s|l)(\/\w+)?$/;
const PLAIN_BELOW = 1e4;

export function count(number) {
  return number >= 1e6 ? scaled(number, 3).join("") : number.toLocaleString("en");
}

// A count with its noun: "1 step", "12 steps".
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

// Returns number and unit: ["3.41", "MB/s"]. step: the smallest difference that must be visible.
export function quantity(value, unit, step = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return ["–", unit];
  if (step > 0 && Math.abs(value) >= PLAIN_BELOW && step / Math.abs(value) < 1e-3) {
    return [value.toLocaleString("en", { maximumFractionDigits: step < 1 ? 1 : 0 }), unit];
  }
  const [digits, prefix] = scaled(value, step > 0 && Math.abs(value) < PLAIN_BELOW ? digitsFor(value, step) : 3);
  return PREFIXABLE.test(unit) ? [digits, prefix + unit] : [digits + prefix, unit];
}

export function withUnit(value, unit, step) {
  return quantity(value, unit, step).filter(Boolean).join(" ");
}

export function rate(perSecond) {
  return perSecond < 99.95 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

export function percent(share) {
  return `${Math.round(share * 100)} %`;
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

// The digits that are needed to show differences of `step`: 3 to 6.
function digitsFor(value, step) {
  const needed = Math.ceil(Math.log10(Math.abs(value) / step)) + 1;
  return Math.min(6, Math.max(3, needed || 3));
}

// A number of so many significant digits, and its SI prefix: ["12.3", "k"].
function scaled(value, significant) {
  const size = Math.abs(value);
  if (size < PLAIN_BELOW) return [plain(value, significant), ""];
  for (const [floor, prefix] of PREFIXES) {
    if (size >= floor) return [plain(value / floor, significant), prefix];
  }
  return [plain(value, significant), ""];
}

// A number of so many significant digits, without a prefix.
function plain(value, significant) {
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(2);
  if (size !== 0 && size < 1e-4) return value.toExponential(1);
  const whole = size < 1 ? 1 : Math.floor(Math.log10(size)) + 1;
  const decimals = Number.isInteger(value) ? 0 : Math.max(0, significant - whole);
  return value.toLocaleString("en", { maximumFractionDigits: decimals });
}
