// The falling error of a model while it is trained.

import { palette } from "./chart.js";
import { ago } from "./format.js";

/* global uPlot */

// An epoch takes minutes on much data; a training that says nothing for so long has ended early.
const SILENT_S = 1800;
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';

export class Training {
  constructor() {
    this.panel = document.getElementById("training");
    this.figure = document.getElementById("training-chart");
  }

  // Hidden once it is over, or has ended early, and forecasts come.
  update(told, forecasting, now) {
    this.told = told ?? this.told;
    const over = this.told && (this.told.done || this.told.epochs.at(-1).epoch >= this.told.of);
    const early = this.told && !over && now - this.told.heard_s > SILENT_S;
    this.panel.hidden = !this.told || ((over || early) && forecasting);
    if (this.panel.hidden || !(told || early)) return;
    told = this.told;
    const last = told.epochs.at(-1), first = told.epochs[0];
    const total = Math.max(told.of, last.epoch);
    this.panel.querySelector("h2").textContent = over ? "The model is trained" : early ? "A training did not finish" : "The model is being trained";
    document.getElementById("training-epoch").textContent = `epoch ${last.epoch} of ${total}`;
    document.getElementById("training-progress").value = last.epoch / total;
    const error = (one) => one.val_loss ?? one.loss;
    const note = over ? "No forecast has come yet." : early ? `Its last epoch came ${ago(now - told.heard_s)}.` : "Forecasts begin once it is done.";
    document.getElementById("training-note").textContent = `error ${error(first).toFixed(3)} → ${error(last).toFixed(3)}. ${note}`;
    this.draw(told.epochs, total);
  }

  recolour() {
    this.colours = palette();
    this.plot?.redraw(false);
  }

  draw(epochs, total) {
    const columns = [epochs.map((one) => one.epoch), epochs.map((one) => one.loss), epochs.map((one) => one.val_loss)];
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
