// The chart of one series, drawn by uPlot.

import { drawBehind, drawInFront, markedValues } from "./chart_marks.js";
import { neededRange, steadyRange } from "./chart_range.js";
import { axisLabels } from "./numbers.js";
import { areDates, axisMoment, moment } from "./times.js";

/* global uPlot */

export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';
// Half the width of the widest label of the time axis, less the padding, in CSS pixels.
const LABEL_HALF = 22;

// The colours of the page by name. They differ in dark mode.
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "muted", "actual", "forecast", "band", "earlier", "grid", "now", "card", "bad", "anomaly"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

export class Chart {
  // series: a Series. onPoint: gets the index under the pointer, or null.
  constructor(element, series, onPoint) {
    this.element = element;
    this.series = series;
    this.colours = palette();
    this.plot = new uPlot(this.options(onPoint), this.columns(), element);
    this.resizes = new ResizeObserver(() => this.resize());
    this.resizes.observe(element);
  }

  update() {
    this.plot.setData(this.columns());
  }

  recolour() {
    this.colours = palette();
    this.plot.redraw(false);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width && (width !== this.plot.width || height !== this.plot.height)) this.plot.setSize({ width, height });
  }

  destroy() {
    this.resizes.disconnect();
    this.plot.destroy();
  }

  columns() {
    const columns = this.series.columns();
    const needed = neededRange(columns, markedValues(this.series.marks, columns[0][0]));
    this.range = steadyRange(needed, this.range);
    return columns;
  }

  options(onPoint) {
    const colour = (name) => () => this.colours[name];
    const line = (name, more) => ({ stroke: colour(name), points: { show: false }, spanGaps: false, ...more });
    const { dated } = this.series;
    const dates = dated && areDates(this.series.step);
    return {
      tzDate: (seconds) => (dates ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000)),
      width: Math.max(200, this.element.clientWidth),
      height: Math.max(100, this.element.clientHeight),
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      padding: [10, 10, 0, 0],
      scales: {
        x: { time: dated, range: (plot, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
        y: { range: () => this.range },
      },
      axes: [
        {
          stroke: colour("muted"), font: FONT, grid: { show: false }, ticks: { show: false }, gap: 4, space: 76,
          size: (plot, values) => (values?.some((text) => String(text).includes("\n")) ? 42 : 26),
          values: dated ? (plot, splits, axis, space, increment) => this.timeLabels(plot, splits, increment, dates) : undefined,
        },
        {
          stroke: colour("muted"), font: FONT, ticks: { show: false }, gap: 6, space: 38,
          grid: { stroke: colour("grid"), width: 1 },
          values: (plot, splits) => axisLabels(splits, this.series.unit),
          size: (plot, values) => 14 + 7 * Math.max(3, ...(values ?? [""]).map((text) => text.length)),
        },
      ],
      series: [
        {},
        line("actual", { width: 1.8 }),
        line("earlier", { width: 1 }),
        line("forecast", { width: 0 }),
        line("forecast", { width: 0 }),
        line("forecast", { width: 2, dash: [5, 4] }),
      ],
      bands: [{ series: [4, 3], fill: colour("band") }],
      hooks: {
        drawClear: [(plot) => drawBehind(plot, this.series, this.colours), (plot) => this.drawEnd(plot)],
        draw: [(plot) => this.drawLatest(plot), (plot) => drawInFront(plot, this.series, this.colours)],
        setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)],
      },
    };
  }

  // The labels of the time axis. dates: whether readings have dates and no times of day.
  timeLabels(plot, splits, increment, dates) {
    let before;
    return splits.map((at) => {
      if (!fits(plot, at)) return "";
      const text = axisMoment(at, before, increment, this.series.now, dates);
      before = at;
      return text;
    });
  }

  // Mark the end of the readings with a vertical line.
  drawEnd(plot) {
    const at = this.series.times[this.series.actual.length - 1];
    if (at === undefined) return;
    const x = Math.round(plot.valToPos(at, "x", true)) + 0.5;
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = this.colours.now;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = this.colours.muted;
    ctx.font = FONT.replace("12px", `${11 * devicePixelRatio}px`);
    ctx.textAlign = "right";
    ctx.textBaseline = "top";
    const { series } = this;
    const name = series.isCurrent(series.now) ? "now" : series.dated ? moment(at, series.step, series.now, series.offset) : "last reading";
    ctx.fillText(name, x - 5 * devicePixelRatio, bbox.top);
    ctx.restore();
  }

  // Mark the latest reading with a dot.
  drawLatest(plot) {
    const at = this.series.actual.findLastIndex((value) => value !== null);
    if (at < 0) return;
    const { ctx } = plot;
    ctx.save();
    ctx.beginPath();
    const [x, y] = [plot.valToPos(this.series.times[at], "x", true), plot.valToPos(this.series.actual[at], "y", true)];
    ctx.arc(x, y, 3.6 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fillStyle = this.colours.actual;
    ctx.strokeStyle = this.colours.card;
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.stroke();
    ctx.fill();
    ctx.restore();
  }
}

// Whether a label at this position fits on the canvas.
function fits(plot, at) {
  return plot.valToPos(at, "x") < plot.bbox.width / devicePixelRatio - LABEL_HALF;
}
