// The page: takes in what the server tells, draws what can be seen.

import { hindrance } from "./banner.js";
import { Card } from "./card.js";
import { DeadLetters } from "./dead_letters.js";
import { Feed } from "./feed.js";
import { count, duration, percent, rate } from "./format.js";
import { Training } from "./training.js";

// With more cards than this a filter helps.
const FILTER_FROM = 10;

const cards = new Map();
const deadLetters = new DeadLetters();
const training = new Training();
const state = { lost: null, broker: { connected: null, problem: "", missing: [] }, totals: null };
const $ = (id) => document.getElementById(id);

// Charts are made, and drawn, only while they are near the screen.
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.visible = isIntersecting;
    target.card.draw();
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
  for (const name of told.gone ?? []) drop(name);
  for (const series of told.series ?? []) place(series);
  if (told.dead_letters) deadLetters.update(told.dead_letters);
  training.update(told.training, told.totals.forecasts > 0);
  if (!document.hidden) draw();
}

function draw() {
  for (const card of cards.values()) card.draw();
  banner();
  if (state.totals) totals(state.totals);
}

function place(told) {
  let card = cards.get(told.name);
  if (card) return card.update(told);
  card = new Card(told.name, observer);
  card.update(told);
  cards.set(told.name, card);
  const before = [...cards.values()].filter((other) => other !== card && order(card, other) < 0).sort(order)[0];
  $("cards").insertBefore(card.element, before?.element ?? null);
  arrange();
}

// The slowest first, orders an hour before four readings a second, then by name.
function order(one, other) {
  return other.series.step - one.series.step || one.series.name.localeCompare(other.series.name, undefined, { numeric: true });
}

function drop(name) {
  const card = cards.get(name);
  observer.unobserve(card.element);
  card.remove();
  cards.delete(name);
  arrange();
}

// The first card is wide until somebody has chosen.
let chosen = false;
function arrange() {
  $("empty").hidden = cards.size > 0;
  $("legend").hidden = cards.size === 0;
  $("filter").hidden = cards.size < FILTER_FROM;
  if (!chosen && cards.size) {
    const first = $("cards").firstElementChild.card;
    for (const card of cards.values()) card.widen(card === first && cards.size > 1);
  }
  filter();
}

function filter() {
  const wanted = $("filter").hidden ? "" : $("filter-text").value.trim().toLowerCase();
  for (const [name, card] of cards) card.element.hidden = !name.toLowerCase().includes(wanted);
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
  text("function", told.destination || "–");
  text("model", told.model || "–");
  $("function").parentElement.classList.toggle("out", told.outages.some(({ route }) => route === told.destination));
  $("path").classList.toggle("flows", told.forecasts_per_s > 0);
  text("forecasts", count(told.forecasts));
  text("forecasts-note", told.events ? `from ${count(told.events)} events` : "none yet");
  figure("delay", ...duration(told.delay.p50_s));
  text("delay-note", told.delay.count ? `median; 99 % within ${duration(told.delay.p99_s).join(" ")}` : "record in to forecast out");
  text("dead-letters", count(told.dead_letters));
  ratio();
  legend();
  empty(told);
}

// Of all series the middle one: one odd series does not speak for the others.
function ratio() {
  const ratios = [...cards.values()].map(({ series }) => series.score?.ratio).filter((one) => one != null).sort((a, b) => a - b);
  if (!ratios.length) return text("ratio", "–"), text("ratio-note", "no forecast has come true yet");
  const middle = (ratios[(ratios.length - 1) >> 1] + ratios[ratios.length >> 1]) / 2;
  figure("ratio", middle.toFixed(2), "×");
  const compared = middle < 0.995 ? `${percent(1 - middle)} smaller` : middle > 1.005 ? `${percent(middle - 1)} larger` : "the same";
  text("ratio-note", ratios.length === 1 ? compared : `${compared}; middle of ${ratios.length} series`);
}

function legend() {
  const shown = [...cards.values()].map(({ series }) => series).filter(({ forecast }) => forecast);
  const band = shown.find(({ forecast }) => forecast.band)?.forecast.band;
  if (band) text("legend-band", `${Math.round(band[0] * 100)}–${percent(band[1])}`);
  const leads = new Set(shown.map(({ lead }) => lead));
  if (leads.size === 1) text("legend-earlier", `as forecast ${[...leads][0]} steps earlier`);
  else text("legend-earlier", "as forecast earlier");
}

function empty(told) {
  if (cards.size) return;
  text("empty-text", told.events ? "Events come in, but none holds readings." : `Waiting for the first events on ${told.topics.in}.`);
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

$("cards").addEventListener("click", () => (chosen = true));
$("filter-text").addEventListener("input", filter);
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
