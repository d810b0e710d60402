// Anomalies and alerts in words.

import { count, percent, withUnit } from "./numbers.js";
import { age, ago, moment } from "./times.js";

// The score of a reading is 1 if one reading in a million is this unusual, and 0.5 if one in a thousand is.
const DECADES = 6;

// What happened, in one sentence. series: the Series on the page, or undefined. now: the server's time.
export function sentence(incident, series, now) {
  const show = (value) => withUnit(value, series?.unit ?? "");
  const when = (seconds) => time(seconds, series, now);
  if (incident.what === "alert") {
    if (incident.is_about_model) return `the forecasts are worse than the last value${incident.skill === null ? "" : `: error ${percent(-incident.skill)} larger`}`;
    const at = incident.expected_s === null ? "" : ` ${onOrAt(when(incident.expected_s))}`;
    const verb = incident.closed_s === null ? "is" : "was";
    return `${incident.direction} ${show(incident.threshold)} ${verb} expected${at}, probability ${incident.probability === null ? "unknown" : percent(incident.probability)}`;
  }
  if (incident.kind === "silent") return `no readings since ${when(incident.start_s)}; the last one was ${show(incident.value)}`;
  if (incident.kind === "stuck") return `stuck at ${show(incident.value)}`;
  const band = incident.low === null || incident.high === null ? "" : ` (${show(incident.low)} to ${show(incident.high)})`;
  return `${show(incident.value)} instead of ${show(incident.expected)}${band}`;
}

// Rule, times, how unusual, model, and the destination.
export function details(incident, series, now) {
  const parts = [];
  if (incident.what === "alert") parts.push(`rule ${incident.rule}`);
  if (incident.start_s !== null) parts.push(`${incident.closed_s === null ? "since" : "began"} ${time(incident.start_s, series, now)}`);
  if (incident.what === "anomaly" && incident.kind !== "silent") {
    if (incident.closed_s !== null && incident.end_s > incident.start_s) parts.push(`lasted ${age(incident.end_s - incident.start_s)}`);
    if (incident.score > 0) parts.push(`one reading in ${rarity(incident.score)} is this unusual`);
  }
  const model = incident.model || series?.model;
  if (model) parts.push(`model ${model}`);
  if (incident.destination) parts.push(`destination ${incident.destination}`);
  return parts.join(" · ");
}

// How long the incident has been open, or when it ended.
export function stateText(incident, now) {
  if (incident.closed_s !== null) return `ended ${ago(Math.max(0, now - incident.closed_s))}`;
  return `open for ${age(Math.max(0, now - incident.opened_s))}`;
}

function onOrAt(when) {
  return /^\d+:/.test(when) ? `at ${when}` : `on ${when}`;
}

function rarity(score) {
  const readings = 10 ** (DECADES * Math.min(1, score));
  return count(Number(readings.toPrecision(1)));
}

function time(seconds, series, now) {
  return moment(seconds, series?.step ?? 60, now, series?.offset);
}
