// The figures above the charts: the path of an event, counts, delay, error, and the legend.

import { byId, setQuantity, setText } from "./elements.js";
import { count, counted, percent, rate } from "./numbers.js";
import { ago, duration } from "./times.js";

// A model that no forecast names for this long may not be in use any more.
const MODEL_OLD_S = 60;
// The start of the reason if a function works, but a service that it needs does not.
const UNAVAILABLE = "the function is unavailable";
// Errors that differ by less than this share count as the same.
const SAME = 0.005;

// figures: the totals that the server sends. isSkipping: whether the server skipped records to keep up.
export function showTotals(figures, isSkipping) {
  setText("topic-in", figures.topics.in);
  setText("topic-out", figures.topics.out);
  setText("events-rate", rate(figures.events_per_s));
  setText("forecasts-rate", rate(figures.forecasts_per_s));
  byId("path").classList.toggle("flows", figures.forecasts_per_s > 0);
  showRoute(figures);
  showModel(figures);
  setText("forecasts", count(figures.forecasts));
  setText("forecasts-note", forecastsNote(figures, isSkipping));
  const delay = figures.delay;
  setQuantity("delay", ...duration(delay.p50_s));
  setText("delay-note", delay.count ? `median of the last minute; 99 % within ${duration(delay.p99_s).join(" ")}` : "no answers in the last minute");
  setText("dead-letters", count(figures.dead_letters));
}

// Show in red the part that is out: the function, or the model if the function reports that it is unavailable.
function showRoute(figures) {
  setText("function", figures.destinations.join(", ") || "–");
  const outages = figures.outages.filter((outage) => figures.destinations.includes(outage.route));
  const isModelOut = outages.some(({ reason }) => reason.startsWith(UNAVAILABLE));
  const isFunctionOut = outages.some(({ reason }) => !reason.startsWith(UNAVAILABLE));
  byId("function").parentElement.classList.toggle("out", isFunctionOut);
  byId("model").parentElement.classList.toggle("out", isModelOut);
  const normal = figures.destinations.length || !figures.events ? "destination of the events" : "no event names a destination";
  setText("function-note", isFunctionOut ? "out" : isModelOut ? "waits for its model" : normal);
}

function showModel(figures) {
  setText("model", figures.models.join(", ") || "–");
  const isOld = figures.model_age_s > MODEL_OLD_S;
  byId("model").classList.toggle("old", isOld);
  const isOut = byId("model").parentElement.classList.contains("out");
  const inLast = isOld ? `in the last forecast, ${ago(figures.model_age_s)}` : "in the latest forecasts";
  const note = figures.models.length === 0 ? "no forecast names a model yet" : inLast;
  setText("model-note", isOut ? `out; ${note}` : note);
}

function forecastsNote(figures, isSkipping) {
  if (!figures.events && !figures.forecasts) return "none yet";
  const parts = [`${counted(figures.events, "event")} read`];
  if (figures.others) parts.push(counted(figures.others, "other answer"));
  if (figures.repeats) parts.push(`${count(figures.repeats)} delivered again`);
  // It is unknown whether skipped events have an answer.
  if (figures.waiting && !isSkipping) parts.push(`${count(figures.waiting)} without an answer for 10 s`);
  return parts.join("; ");
}

// The median over all series that are not silent, so that one unusual series does not dominate. series: of all cards.
export function showRatio(series, now) {
  const active = series.filter((each) => !each.isSilent(now));
  const ratios = active.map(({ score }) => score?.ratio).filter((ratio) => ratio != null).sort((a, b) => a - b);
  byId("ratio").classList.remove("good", "bad");
  if (!ratios.length) {
    setText("ratio", "–");
    const areSilent = series.length > 0 && active.length === 0;
    return setText("ratio-note", areSilent ? "all series are silent" : "no forecast can be compared yet");
  }
  const median = (ratios[(ratios.length - 1) >> 1] + ratios[ratios.length >> 1]) / 2;
  const worse = ratios.filter((ratio) => ratio > 1 + SAME).length;
  setQuantity("ratio", median.toFixed(2), "×");
  if (median > 1 + SAME) byId("ratio").classList.add("bad");
  const compared = median < 1 - SAME ? `${percent(1 - median)} smaller` : median > 1 + SAME ? `${percent(median - 1)} larger` : "the same";
  setText("ratio-note", ratios.length === 1 ? compared : `${compared} (median); ${worse} of ${ratios.length} series worse than the last value`);
}

// Show in the legend what the charts show. series: of all cards.
export function showLegend(series) {
  byId("legend-anomaly").hidden = !series.some(({ marks }) => marks.some(({ what }) => what === "anomaly"));
  const forecasted = series.filter(({ forecast }) => forecast);
  const band = forecasted.find(({ forecast }) => forecast.band)?.forecast.band;
  byId("legend-band").parentElement.hidden = !band;
  if (band) setText("legend-band", `band: ${Math.round(band[0] * 100)}–${percent(band[1])}`);
  const leads = new Set(forecasted.map(({ lead }) => lead));
  setText("legend-earlier", leads.size === 1 ? `forecast made ${counted([...leads][0], "step")} earlier` : "earlier forecast");
}
