// The panel with the error of a model during its training.

import { FONT, palette } from "./chart.js";
import { byId } from "./elements.js";
import { ago } from "./times.js";

/* global uPlot */

// Without a report for this long, the training has ended early. An epoch can take minutes.
const SILENT_S = 1800;

export class TrainingPanel {
  constructor() {
    this.panel = byId("training");
    this.figure = byId("training-chart");
  }

  // Hide the panel when the training has ended and there are forecasts.
  update(curve, hasForecasts, now) {
    this.curve = curve ?? this.curve;
    const isOver = this.curve && (this.curve.done || this.curve.epochs.at(-1).epoch >= this.curve.of);
    const hasStopped = this.curve && !isOver && now - this.curve.heard_s > SILENT_S;
    this.panel.hidden = !this.curve || ((isOver || hasStopped) && hasForecasts);
    if (this.panel.hidden || !(curve || hasStopped)) return;
    curve = this.curve;
    const last = curve.epochs.at(-1), first = curve.epochs[0];
    const total = Math.max(curve.of, last.epoch);
    this.panel.querySelector("h2").textContent = isOver ? "The model is trained" : hasStopped ? "A training did not finish" : "The model is being trained";
    byId("training-epoch").textContent = `epoch ${last.epoch} of ${total}`;
    byId("training-progress").value = last.epoch / total;
    const error = (epoch) => epoch.val_loss ?? epoch.loss;
    const note = isOver ? "There is no forecast yet." : hasStopped ? `The last epoch ended ${ago(now - curve.heard_s)}.` : "Forecasts start after the training.";
    byId("training-note").textContent = `error ${error(first).toFixed(3)} → ${error(last).toFixed(3)}. ${note}`;
    this.draw(curve.epochs, total);
  }

  recolour() {
    this.colours = palette();
    this.plot?.redraw(false);
  }

  draw(epochs, total) {
    const columns = [epochs.map((epoch) => epoch.epoch), epochs.map((epoch) => epoch.loss), epochs.map((epoch) => epoch.val_loss)];
    this.total = total;
    if (this.plot) return this.plot.setData(columns);
    this.colours = palette();
    const colour = (name) => () => this.colours[name];
    const axis = { stroke: colour("muted"), font: FONT, ticks: { show: false }, gap: 6 };
    const size = () => ({ width: this.figure.clientWidth, height: this.figure.clientHeight });
    this.plot = new uPlot({
      ...size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [10, 12, 0, 0],
      scales: { x: { time: false, range: () => [1, Math.max(2, this.total)] }, y: { range: (plot, low, high) => [Math.min(0, low), high * 1.05] } },
      axes: [
        { ...axis, size: 26, space: 60, incrs: [1, 2, 5, 10, 20, 50, 100, 200], grid: { show: false } },
        { ...axis, size: 44, space: 36, grid: { stroke: colour("grid"), width: 1 } },
      ],
      series: [
        {},
        { stroke: colour("actual"), width: 1.6, points: { show: false } },
        { stroke: colour("forecast"), width: 2, points: { show: true, size: 5, fill: colour("forecast") } },
      ],
    }, columns, this.figure);
    new ResizeObserver(() => this.figure.clientWidth && this.plot.setSize(size())).observe(this.figure);
  }
}
