// The page: takes in what the server tells, draws what can be seen.

import { hindrance } from "./banner.js";
import { Card } from "./card.js";
import { DeadLetters } from "./dead_letters_panel.js";
import { Feed } from "./feed.js";
import { ago, count, duration, percent, rate } from "./format.js";
import { Shelf } from "./series_list.js";
import { Training } from "./training_panel.js";

// A model named by no forecast for so long may not be at work any more.
const MODEL_OLD_S = 60;
// How a function says that it works, but not what it needs.
const UNAVAILABLE = "the function is unavailable";

const cards = new Map();
const deadLetters = new DeadLetters();
const training = new Training();
const state = { lost: null, broker: { connected: null, problem: "", missing: [] }, totals: null, now: Date.now() / 1000 };
const $ = (id) => document.getElementById(id);
const shelf = new Shelf(cards);

// Charts are made, and drawn, only while they are near the screen.
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.visible = isIntersecting;
    target.card.draw(state.now);
  }
}, { rootMargin: "200px" });

function snapshot(told) {
  const names = new Set(told.series.map(({ name }) => name));
  for (const name of cards.keys()) if (!names.has(name)) drop(name);
  changes(told);
}

function changes(told) {
  state.lost = null;
  state.broker = told.broker;
  state.totals = told.totals;
  state.now = told.now;
  for (const name of told.gone ?? []) drop(name);
  for (const series of told.series ?? []) place(series);
  if (told.gone || told.series) shelf.arrange();
  if (told.dead_letters) deadLetters.update(told.dead_letters);
  training.update(told.training, told.totals.forecasts > 0, told.now);
  if (!document.hidden) draw();
}

function draw() {
  for (const card of cards.values()) card.draw(state.now);
  banner();
  if (state.totals) totals(state.totals);
}

function place(told) {
  let card = cards.get(told.name);
  if (card) return card.update(told);
  card = new Card(told.name, observer);
  card.update(told);
  cards.set(told.name, card);
  shelf.place(card);
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

function totals(told) {
  text("topic-in", told.topics.in);
  text("topic-out", told.topics.out);
  text("events-rate", rate(told.events_per_s));
  text("forecasts-rate", rate(told.forecasts_per_s));
  $("path").classList.toggle("flows", told.forecasts_per_s > 0);
  route(told);
  model(told);
  text("forecasts", count(told.forecasts));
  text("forecasts-note", forecastsNote(told));
  figure("delay", ...duration(told.delay.p50_s));
  text("delay-note", told.delay.count ? `median of the last minute; 99 % within ${duration(told.delay.p99_s).join(" ")}` : "no event was answered in the last minute");
  text("dead-letters", count(told.dead_letters));
  ratio();
  legend();
  shelf.tellLeftOut(told.left_out);
  empty(told);
}

function forecastsNote(told) {
  if (!told.events && !told.forecasts) return "none yet";
  const parts = [`${count(told.events)} ${told.events === 1 ? "event" : "events"} read`];
  if (told.others) parts.push(`${count(told.others)} other answers`);
  if (told.repeats) parts.push(`${count(told.repeats)} delivered again`);
  // Of what was left out to keep up, nobody knows whether it has its answer.
  if (told.waiting && !state.broker.skipped) parts.push(`${count(told.waiting)} without an answer for 10 s`);
  return parts.join("; ");
}

// Red is what is out itself: a function that answers "unavailable" works, but what it needs does not.
function route(told) {
  text("function", told.destinations.join(", ") || "–");
  const outages = told.outages.filter((outage) => told.destinations.includes(outage.route));
  const needs = outages.some(({ reason }) => reason.startsWith(UNAVAILABLE));
  const out = outages.some(({ reason }) => !reason.startsWith(UNAVAILABLE));
  $("function").parentElement.classList.toggle("out", out);
  $("model").parentElement.classList.toggle("out", needs);
  text("function-note", out ? "out" : needs ? "waits for its model" : told.destinations.length || !told.events ? "named by the events" : "named by no event");
}

function model(told) {
  text("model", told.models.join(", ") || "–");
  const old = told.model_age_s > MODEL_OLD_S;
  $("model").classList.toggle("old", old);
  const out = $("model").parentElement.classList.contains("out");
  const named = told.models.length === 0 ? "no forecast names one yet" : old ? `in the last forecast, ${ago(told.model_age_s)}` : "in the latest forecasts";
  text("model-note", out ? `out; ${named}` : named);
}

// Of all series that are heard the middle one: one odd series does not speak for the others, but is counted.
function ratio() {
  const heard = [...cards.values()].map(({ series }) => series).filter((series) => !series.silent(state.now));
  const ratios = heard.map(({ score }) => score?.ratio).filter((one) => one != null).sort((a, b) => a - b);
  $("ratio").classList.remove("good", "bad");
  if (!ratios.length) {
    text("ratio", "–");
    const silent = cards.size > 0 && heard.length === 0;
    return text("ratio-note", silent ? "all series are silent" : "no forecast to compare with readings yet");
  }
  const middle = (ratios[(ratios.length - 1) >> 1] + ratios[ratios.length >> 1]) / 2;
  const worse = ratios.filter((one) => one > 1.005).length;
  figure("ratio", middle.toFixed(2), "×");
  if (middle > 1.005) $("ratio").classList.add("bad");
  const compared = middle < 0.995 ? `${percent(1 - middle)} smaller` : middle > 1.005 ? `${percent(middle - 1)} larger` : "the same";
  text("ratio-note", ratios.length === 1 ? compared : `${compared} (median); ${worse} of ${ratios.length} series worse than the last value`);
}

function legend() {
  const shown = [...cards.values()].map(({ series }) => series).filter(({ forecast }) => forecast);
  const band = shown.find(({ forecast }) => forecast.band)?.forecast.band;
  $("legend-band").parentElement.hidden = !band;
  if (band) text("legend-band", `${Math.round(band[0] * 100)}–${percent(band[1])}`);
  const leads = new Set(shown.map(({ lead }) => lead));
  if (leads.size === 1) text("legend-earlier", `as forecast ${[...leads][0]} steps earlier`);
  else text("legend-earlier", "as forecast earlier");
}

function empty(told) {
  if (cards.size) return;
  text("empty-text", told.events ? "Events were read, but none holds readings." : `Waiting for the first events on ${told.topics.in}.`);
}

let told = "";
function banner() {
  const trains = !training.panel.hidden;
  const hinders = state.totals || state.lost ? hindrance(state.lost, state.broker, state.totals, trains) : null;
  const [kind, sentence] = hinders ?? ["", ""];
  $("banner").hidden = !sentence;
  if (sentence !== told) $("banner").textContent = told = sentence;
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
  onSnapshot: snapshot,
  onChanges: changes,
  onLost: () => {
    state.lost ??= Date.now() / 1000;
    banner();
  },
});
