// The card of one series: name, latest value, chart, and the error of its forecasts.

import { Chart } from "./chart.js";
import { element, setQuantity, setText } from "./elements.js";
import { counted, percent, quantity, withUnit } from "./numbers.js";
import { Series } from "./series.js";
import { age, ago, moment } from "./times.js";

// Minimum time between two updates of a chart's description for screen readers.
const DESCRIBE_MS = 5000;

export class Card {
  constructor(name, observer) {
    this.series = new Series(name);
    this.isVisible = false;
    this.element = element("article", "card");
    this.element.card = this;
    this.button = element("button");
    this.button.type = "button";
    this.button.textContent = name;
    this.button.title = name;
    this.button.onclick = () => this.widen(!this.isWide);
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

  get isWide() {
    return this.element.classList.contains("wide");
  }

  widen(wide) {
    this.element.classList.toggle("wide", wide);
    this.button.setAttribute("aria-pressed", String(wide));
  }

  update(changes) {
    const hasNewAxis = this.chart && this.series.dated !== changes.dated;
    this.series.update(changes);
    if (hasNewAxis) this.dropChart();
    this.isDirty = true;
  }

  // Draw the changes if the card is on screen. now: the server's time in seconds since 1970.
  draw(now) {
    if (!this.isVisible) return;
    this.showAge(now);
    if (!this.isDirty) return;
    this.isDirty = false;
    const { series } = this;
    // Show enough digits to distinguish two readings.
    setQuantity(this.value, ...quantity(series.latest, series.unit, this.resolution()));
    if (this.chart) this.chart.update();
    else this.chart = new Chart(this.figure, series, (at) => this.showPoint(at));
    if (this.pointed === undefined) this.showScore();
    this.describe();
  }

  // Show how old the latest reading is, and whether the series is silent. Stores the time for the chart.
  showAge(now) {
    const { series } = this;
    const isSilent = series.isSilent(now), time = series.latestTime;
    const parts = [];
    if (isSilent) parts.push(`silent for ${age(now - series.lastEvent)}`);
    if (time !== null && Math.abs(now - time) > 86400) parts.push(`last reading ${moment(time, series.step, now, series.offset)}`);
    if (time !== null && !isSilent) parts.push(ago(now - time));
    else if (!isSilent && series.lastEvent !== null) parts.push(`last event ${ago(now - series.lastEvent)}`);
    setText(this.age, parts.join(" · "));
    this.element.classList.toggle("silent", isSilent);
    // The chart names the latest reading "now" while it is current.
    if (series.now === undefined || series.isCurrent(now) !== series.isCurrent(series.now)) this.isDirty = true;
    series.now = now;
  }

  // Read the colours of the page again, after a change to or from dark mode.
  recolour() {
    this.chart?.recolour();
  }

  // Destroy the chart. The next `draw` creates it again.
  dropChart() {
    this.chart?.destroy();
    this.chart = undefined;
  }

  remove() {
    this.dropChart();
    this.element.remove();
  }

  // The smallest difference between two readings that is shown.
  resolution() {
    const known = this.series.actual.filter((value) => value !== null);
    return known.length > 1 ? (Math.max(...known) - Math.min(...known)) / 100 : 0;
  }

  // The text below the chart: the error of the forecasts, or the point under the pointer.
  showScore() {
    const { score, forecast } = this.series;
    if (!score) {
      this.readout.textContent = forecast ? "no forecast can be compared yet" : "waiting for the first forecast";
      return;
    }
    const parts = [...verdict(score, this.series.unit)];
    if (this.series.isSilent(this.series.now)) parts.unshift("before the silence: ");
    if (score.inside !== null) parts.push(` · ${percent(score.inside)} in band`);
    this.readout.replaceChildren(...parts);
    const mean = withUnit(score.mae, this.series.unit), naive = withUnit(score.naive_mae, this.series.unit);
    this.readout.title = `Last ${counted(score.readings, "reading")}, ${counted(score.points, "forecast step")}: mean absolute error ${mean}; of a forecast that repeats the last value ${naive}. ${this.series.model}`;
  }

  // Show the readings and forecasts at an index; null shows the error again.
  showPoint(at) {
    this.pointed = at ?? undefined;
    const { series } = this;
    if (at === null || series.times[at] === undefined) return this.showScore();
    const [times, actual, earlier, low, high, median] = series.columns();
    const step = this.resolution();
    const show = (value) => withUnit(value, series.unit, step);
    const when = series.dated ? moment(times[at], series.step, series.now, series.offset) : `reading ${times[at]}`;
    const parts = [element("b", "", when)];
    if (actual[at] !== null) parts.push(` · ${show(actual[at])}`);
    else if (median[at] === null) parts.push(" · missing");
    if (series.marks.some(({ what, start_s: start, end_s: end }) => what === "anomaly" && start <= times[at] && times[at] <= end)) parts.push(" · anomaly");
    if (at < actual.length && earlier[at] !== null) parts.push(` · forecast ${show(earlier[at])}`);
    if (actual[at] === null && median[at] !== null) {
      parts.push(` · forecast ${show(median[at])}`);
      if (low[at] !== null) parts.push(` (${show(low[at])} to ${show(high[at])})`);
    }
    this.readout.replaceChildren(...parts);
  }

  // Describe the chart for screen readers.
  describe() {
    const now = Date.now();
    if (now - (this.described ?? 0) < DESCRIBE_MS) return;
    this.described = now;
    const { series } = this;
    const next = series.forecast?.values;
    const parts = [`${series.name}: latest reading ${withUnit(series.latest, series.unit)}`];
    if (next) parts.push(`forecast to reach ${withUnit(next.at(-1), series.unit)} in ${counted(next.length, "step")}`);
    this.figure.setAttribute("aria-label", parts.join(", "));
  }
}

// The error compared with that of the naive forecast, in words: texts and elements.
function verdict(score, unit) {
  if (score.ratio === null) {
    return [score.mae === 0 ? "constant readings, and the forecast is exact" : `constant readings; the error is ${withUnit(score.mae, unit)}`];
  }
  const bold = element("b", score.ratio < 0.995 ? "good" : score.ratio > 1.005 ? "bad" : "", `${score.ratio.toFixed(2)} ×`);
  return ["error ", bold, " the last value's"];
}
