// The page: applies the server's messages and draws what is on screen.

import { bannerMessage } from "./banner.js";
import { Card } from "./card.js";
import { DeadLettersPanel } from "./dead_letters_panel.js";
import { Feed } from "./feed.js";
import { ago, count, duration, percent, rate } from "./format.js";
import { MonitorPanel } from "./monitor_panel.js";
import { SeriesList } from "./series_list.js";
import { TrainingPanel } from "./training_panel.js";

// A model that no forecast names for this long may not be in use any more.
const MODEL_OLD_S = 60;
// The start of the reason if a function works, but a service that it needs does not.
const UNAVAILABLE = "the function is unavailable";

const cards = new Map();
const deadLetters = new DeadLettersPanel();
const training = new TrainingPanel();
const state = { lost: null, broker: { connected: null, problem: "", missing: [] }, totals: null, now: Date.now() / 1000 };
const $ = (id) => document.getElementById(id);
const seriesList = new SeriesList(cards);
const monitor = new MonitorPanel(cards, (name) => seriesList.reveal(cards.get(name)));

// Create and draw charts only while they are near the screen.
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.visible = isIntersecting;
    target.card.draw(state.now);
  }
}, { rootMargin: "200px" });

function applySnapshot(message) {
  const names = new Set(message.series.map(({ name }) => name));
  for (const name of cards.keys()) if (!names.has(name)) drop(name);
  applyChanges(message);
}

function applyChanges(message) {
  state.lost = null;
  state.broker = message.broker;
  state.totals = message.totals;
  state.now = message.now;
  for (const name of message.gone ?? []) drop(name);
  for (const series of message.series ?? []) updateCard(series);
  if (message.gone || message.series) seriesList.arrange();
  if (message.dead_letters) deadLetters.update(message.dead_letters);
  monitor.update(message.incidents, message.accuracy);
  training.update(message.training, message.totals.forecasts > 0, message.now);
  if (!document.hidden) draw();
}

function draw() {
  for (const card of cards.values()) card.draw(state.now);
  banner();
  if (!state.totals) return;
  totals(state.totals);
  monitor.draw(state.totals.monitor_age_s, state.now);
}

function updateCard(changes) {
  let card = cards.get(changes.name);
  if (card) return card.update(changes);
  card = new Card(changes.name, observer);
  card.update(changes);
  cards.set(changes.name, card);
  monitor.mark(card);
  seriesList.place(card);
}

function drop(name) {
  const card = cards.get(name);
  if (!card) return;
  observer.unobserve(card.element);
  card.remove();
  cards.delete(name);
}

function text(id, value) {
  const element = $(id);
  if (element.textContent !== value) element.textContent = value;
}

function figure(id, number, unit) {
  const element = $(id);
  const small = document.createElement("small");
  small.textContent = unit;
  element.replaceChildren(number, ...(unit ? [small] : []));
}

function totals(figures) {
  text("topic-in", figures.topics.in);
  text("topic-out", figures.topics.out);
  text("events-rate", rate(figures.events_per_s));
  text("forecasts-rate", rate(figures.forecasts_per_s));
  $("path").classList.toggle("flows", figures.forecasts_per_s > 0);
  route(figures);
  model(figures);
  text("forecasts", count(figures.forecasts));
  text("forecasts-note", forecastsNote(figures));
  figure("delay", ...duration(figures.delay.p50_s));
  text("delay-note", figures.delay.count ? `median of the last minute; 99 % within ${duration(figures.delay.p99_s).join(" ")}` : "no answers in the last minute");
  text("dead-letters", count(figures.dead_letters));
  ratio();
  legend();
  seriesList.showHidden(figures.left_out);
  empty(figures);
}

function forecastsNote(figures) {
  if (!figures.events && !figures.forecasts) return "none yet";
  const parts = [`${count(figures.events)} ${figures.events === 1 ? "event" : "events"} read`];
  if (figures.others) parts.push(`${count(figures.others)} other answers`);
  if (figures.repeats) parts.push(`${count(figures.repeats)} delivered again`);
  // It is unknown whether skipped events have an answer.
  if (figures.waiting && !state.broker.skipped) parts.push(`${count(figures.waiting)} without an answer for 10 s`);
  return parts.join("; ");
}

// Show in red the part that is out: the function, or the model if the function reports that it is unavailable.
function route(figures) {
  text("function", figures.destinations.join(", ") || "–");
  const outages = figures.outages.filter((outage) => figures.destinations.includes(outage.route));
  const needs = outages.some(({ reason }) => reason.startsWith(UNAVAILABLE));
  const out = outages.some(({ reason }) => !reason.startsWith(UNAVAILABLE));
  $("function").parentElement.classList.toggle("out", out);
  $("model").parentElement.classList.toggle("out", needs);
  text("function-note", out ? "out" : needs ? "waits for its model" : figures.destinations.length || !figures.events ? "destination of the events" : "no event names a destination");
}

function model(figures) {
  text("model", figures.models.join(", ") || "–");
  const old = figures.model_age_s > MODEL_OLD_S;
  $("model").classList.toggle("old", old);
  const out = $("model").parentElement.classList.contains("out");
  const named = figures.models.length === 0 ? "no forecast names a model yet" : old ? `in the last forecast, ${ago(figures.model_age_s)}` : "in the latest forecasts";
  text("model-note", out ? `out; ${named}` : named);
}

// The median over all series that are not silent, so that one unusual series does not dominate.
function ratio() {
  const active = [...cards.values()].map(({ series }) => series).filter((series) => !series.silent(state.now));
  const ratios = active.map(({ score }) => score?.ratio).filter((value) => value != null).sort((a, b) => a - b);
  $("ratio").classList.remove("good", "bad");
  if (!ratios.length) {
    text("ratio", "–");
    const silent = cards.size > 0 && active.length === 0;
    return text("ratio-note", silent ? "all series are silent" : "no forecast can be compared yet");
  }
  const median = (ratios[(ratios.length - 1) >> 1] + ratios[ratios.length >> 1]) / 2;
  const worse = ratios.filter((value) => value > 1.005).length;
  figure("ratio", median.toFixed(2), "×");
  if (median > 1.005) $("ratio").classList.add("bad");
  const compared = median < 0.995 ? `${percent(1 - median)} smaller` : median > 1.005 ? `${percent(median - 1)} larger` : "the same";
  text("ratio-note", ratios.length === 1 ? compared : `${compared} (median); ${worse} of ${ratios.length} series worse than the last value`);
}

function legend() {
  const isMarked = ({ series }) => series.marks.some(({ what }) => what === "anomaly");
  $("legend-anomaly").hidden = ![...cards.values()].some(isMarked);
  const shown = [...cards.values()].map(({ series }) => series).filter(({ forecast }) => forecast);
  const band = shown.find(({ forecast }) => forecast.band)?.forecast.band;
  $("legend-band").parentElement.hidden = !band;
  if (band) text("legend-band", `${Math.round(band[0] * 100)}–${percent(band[1])}`);
  const leads = new Set(shown.map(({ lead }) => lead));
  if (leads.size === 1) text("legend-earlier", `forecast ${[...leads][0]} steps earlier`);
  else text("legend-earlier", "earlier forecast");
}

function empty(figures) {
  if (cards.size) return;
  text("empty-text", figures.events ? "Events were read, but none of them holds readings." : `Waiting for the first events on ${figures.topics.in}.`);
}

let shownSentence = "";
function banner() {
  const isTraining = !training.panel.hidden;
  const message = state.totals || state.lost ? bannerMessage(state.lost, state.broker, state.totals, isTraining) : null;
  const [kind, sentence] = message ?? ["", ""];
  $("banner").hidden = !sentence;
  if (sentence !== shownSentence) $("banner").textContent = shownSentence = sentence;
  $("banner").dataset.kind = kind;
  document.body.classList.toggle("stale", kind === "lost");
  const link = kind === "lost" ? "lost" : state.broker.connected ? "live" : "wait";
  $("link").dataset.state = link;
  text("link-text", { lost: "not live", live: "live", wait: "connecting" }[link]);
}

document.addEventListener("visibilitychange", () => document.hidden || draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const card of cards.values()) card.recolour();
  training.recolour();
});

new Feed("events", {
  onSnapshot: applySnapshot,
  onChanges: applyChanges,
  onLost: () => {
    state.lost ??= Date.now() / 1000;
    banner();
  },
});
