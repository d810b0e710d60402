// The card of one series: name, latest value, chart, how good its forecasts were.

import { Chart } from "./chart.js";
import { age, ago, count, moment, percent, quantity, withUnit } from "./format.js";
import { Series } from "./series.js";

// Screen readers are told of a chart this often.
const DESCRIBE_MS = 5000;

export class Card {
  constructor(name, observer) {
    this.series = new Series(name);
    this.visible = false;
    this.element = element("article", "card");
    this.element.card = this;
    this.button = element("button");
    this.button.type = "button";
    this.button.textContent = name;
    this.button.title = name;
    this.button.onclick = () => this.widen(!this.wide);
    const heading = element("h3");
    heading.append(this.button);
    this.value = element("div", "value");
    const header = element("header");
    this.age = element("div", "age");
    header.append(heading, this.value, this.age);
    this.figure = element("div", "chart");
    this.figure.setAttribute("role", "img");
    this.readout = element("div", "readout");
    this.element.append(header, this.figure, this.readout);
    this.widen(false);
    observer.observe(this.element);
  }

  get wide() {
    return this.element.classList.contains("wide");
  }

  widen(wide) {
    this.element.classList.toggle("wide", wide);
    this.button.setAttribute("aria-pressed", String(wide));
  }

  update(told) {
    const redated = this.chart && this.series.dated !== told.dated;
    this.series.update(told);
    if (redated) this.drop();
    this.dirty = true;
  }

  // Draw what changed, if anybody can see it. `now`: the server's clock.
  draw(now) {
    if (!this.visible) return;
    this.tick(now);
    if (!this.dirty) return;
    this.dirty = false;
    const { series } = this;
    // Digits enough to see one reading differ from the last.
    const [number, unit] = quantity(series.latest, series.unit, this.resolution());
    this.value.replaceChildren(number, ...(unit ? [element("small", "", unit)] : []));
    if (this.chart) this.chart.update();
    else this.chart = new Chart(this.figure, series, (at) => this.point(at));
    if (this.pointed === undefined) this.tell();
    this.describe();
  }

  // How old the latest reading is, and whether the series is silent.
  tick(now) {
    const { series } = this;
    const silent = series.silent(now), time = series.latestTime;
    const words = [];
    if (silent) words.push(`silent for ${age(now - series.heard)}`);
    if (time !== null && Math.abs(now - time) > 86400) words.push(`last reading ${moment(time, series.step, now, series.offset)}`);
    if (time !== null && !silent) words.push(ago(now - time));
    else if (!silent && series.heard !== null) words.push(`heard ${ago(now - series.heard)}`);
    const text = words.join(" · ");
    if (this.age.textContent !== text) this.age.textContent = text;
    this.element.classList.toggle("silent", silent);
    if (series.now === undefined || series.current(now) !== series.current(series.now)) this.dirty = true;
    series.now = now;
  }

  recolour() {
    this.chart?.recolour();
  }

  drop() {
    this.chart?.destroy();
    this.chart = undefined;
  }

  remove() {
    this.drop();
    this.element.remove();
  }

  resolution() {
    const known = this.series.actual.filter((value) => value !== null);
    return known.length > 1 ? (Math.max(...known) - Math.min(...known)) / 100 : 0;
  }

  // What stands below the chart: how the forecasts did, or the point under the pointer.
  tell() {
    const { score, forecast } = this.series;
    if (!score) {
      this.readout.textContent = forecast ? "no forecast has come true yet" : "waiting for its first forecast";
      return;
    }
    const parts = [...verdict(score)];
    if (this.series.silent(this.series.now)) parts.unshift("before it fell silent: ");
    if (score.inside !== null) parts.push(` · ${percent(score.inside)} in band`);
    this.readout.replaceChildren(...parts);
    const mean = withUnit(score.mae, this.series.unit), naive = withUnit(score.naive_mae, this.series.unit);
    this.readout.title = `Over the last ${count(score.readings)} readings: mean absolute error ${mean}; of the last value, if it stayed, ${naive}; ${count(score.points)} forecast steps compared. ${this.series.model}`;
  }

  point(at) {
    this.pointed = at ?? undefined;
    const { series } = this;
    if (at === null || series.times[at] === undefined) return this.tell();
    const [times, actual, earlier, low, high, median] = series.columns();
    const step = this.resolution();
    const show = (value) => withUnit(value, series.unit, step);
    const when = series.dated ? moment(times[at], series.step, series.now, series.offset) : `reading ${times[at]}`;
    const parts = [element("b", "", when)];
    if (actual[at] !== null) parts.push(` · ${show(actual[at])}`);
    else if (median[at] === null) parts.push(" · missing");
    if (at < actual.length && earlier[at] !== null) parts.push(` · forecast ${show(earlier[at])}`);
    if (actual[at] === null && median[at] !== null) {
      parts.push(` · forecast ${show(median[at])}`);
      if (low[at] !== null) parts.push(` (${show(low[at])} to ${show(high[at])})`);
    }
    this.readout.replaceChildren(...parts);
  }

  describe() {
    const now = Date.now();
    if (now - (this.described ?? 0) < DESCRIBE_MS) return;
    this.described = now;
    const { series } = this;
    const next = series.forecast?.values;
    const parts = [`${series.name}: latest reading ${withUnit(series.latest, series.unit)}`];
    if (next) parts.push(`forecast to reach ${withUnit(next.at(-1), series.unit)} in ${next.length} steps`);
    this.figure.setAttribute("aria-label", parts.join(", "));
  }
}

// In words, how the error compares with the naive forecast's.
function verdict(score) {
  if (score.ratio === null) {
    return [score.mae === 0 ? "nothing moves, and the forecast is exact" : "nothing moves: the last value makes no error"];
  }
  const bold = element("b", score.ratio < 0.995 ? "good" : score.ratio > 1.005 ? "bad" : "", `${score.ratio.toFixed(2)} ×`);
  return ["error ", bold, " the last value's"];
}

export function element(tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}
