// The page: applies the server's messages and draws what is on screen.

import { bannerMessage } from "./banner.js";
import { Card } from "./card.js";
import { DeadLettersPanel } from "./dead_letters_panel.js";
import { byId, setText } from "./elements.js";
import { Feed } from "./feed.js";
import { MonitorPanel } from "./monitor_panel.js";
import { SeriesList } from "./series_list.js";
import { showLegend, showRatio, showTotals } from "./totals.js";
import { TrainingPanel } from "./training_panel.js";

const cards = new Map(); // by series
const deadLetters = new DeadLettersPanel();
const training = new TrainingPanel();
// lost: when the server stopped answering (seconds since 1970), or null. now: the server's time.
const state = { lost: null, broker: { connected: null, problem: "", missing: [] }, totals: null, now: Date.now() / 1000 };
const seriesList = new SeriesList(cards);
const monitor = new MonitorPanel(cards, (name) => seriesList.reveal(cards.get(name)));

// Create and draw charts only while they are near the screen.
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.card.isVisible = isIntersecting;
    target.card.draw(state.now);
  }
}, { rootMargin: "200px" });

function applySnapshot(message) {
  const names = new Set(message.series.map(({ name }) => name));
  for (const name of cards.keys()) if (!names.has(name)) removeCard(name);
  applyChanges(message);
}

function applyChanges(message) {
  state.lost = null;
  state.broker = message.broker;
  state.totals = message.totals;
  state.now = message.now;
  for (const name of message.gone ?? []) removeCard(name);
  for (const series of message.series ?? []) updateCard(series);
  if (message.gone || message.series) seriesList.arrange();
  if (message.dead_letters) deadLetters.update(message.dead_letters);
  monitor.update(message.incidents, message.accuracy);
  training.update(message.training, message.totals.forecasts > 0, message.now);
  if (!document.hidden) draw();
}

function updateCard(changes) {
  let card = cards.get(changes.name);
  if (card) return card.update(changes);
  card = new Card(changes.name, observer);
  card.update(changes);
  cards.set(changes.name, card);
  monitor.markCard(card);
  seriesList.place(card);
}

function removeCard(name) {
  const card = cards.get(name);
  if (!card) return;
  observer.unobserve(card.element);
  card.remove();
  cards.delete(name);
}

function draw() {
  for (const card of cards.values()) card.draw(state.now);
  drawBanner();
  if (!state.totals) return;
  const series = [...cards.values()].map((card) => card.series);
  showTotals(state.totals, Boolean(state.broker.skipped));
  showRatio(series, state.now);
  showLegend(series);
  seriesList.showHidden(state.totals.left_out);
  if (!cards.size) setText("empty-text", state.totals.events ? "Events were read, but none of them holds readings." : `Waiting for the first events on ${state.totals.topics.in}.`);
  monitor.draw(state.totals.monitor_age_s, state.now);
}

let shownSentence = "";
function drawBanner() {
  const isTraining = !training.panel.hidden;
  const message = state.totals || state.lost ? bannerMessage(state.lost, state.broker, state.totals, isTraining) : null;
  const [kind, sentence] = message ?? ["", ""];
  byId("banner").hidden = !sentence;
  if (sentence !== shownSentence) byId("banner").textContent = shownSentence = sentence;
  byId("banner").dataset.kind = kind;
  document.body.classList.toggle("stale", kind === "lost");
  const link = kind === "lost" ? "lost" : state.broker.connected ? "live" : "wait";
  byId("link").dataset.state = link;
  setText("link-text", { lost: "not live", live: "live", wait: "connecting" }[link]);
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
    drawBanner();
  },
});
