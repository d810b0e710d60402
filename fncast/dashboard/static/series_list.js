// The cards of all series: order, filter and pages.

import { count } from "./format.js";

// Show the filter from this number of cards on.
const FILTER_FROM = 10;
// Cards on one page: a wide one, and rows of two, three or four.
const PAGE_CARDS = 13;

export class SeriesList {
  constructor(cards) {
    this.cards = cards;
    this.page = 0;
    this.hasChosen = false;
    this.element = id("cards");
    this.text = id("filter-text");
    this.text.addEventListener("input", () => this.turn(0));
    this.element.addEventListener("click", () => (this.hasChosen = true));
    id("clear-filter").addEventListener("click", () => {
      this.text.value = "";
      this.turn(0);
      this.text.focus();
    });
    id("previous").addEventListener("click", () => this.turn(this.page - 1, true));
    id("next").addEventListener("click", () => this.turn(this.page + 1, true));
  }

  // Insert a new card in order.
  place(card) {
    const before = [...this.element.children].find((other) => order(card, other.card) < 0);
    this.element.insertBefore(card.element, before ?? null);
  }

  turn(page, scroll = false) {
    this.page = page;
    this.arrange();
    if (scroll) id("series").scrollIntoView({ block: "start" });
  }

  // Show the card on its page, and make it wide.
  reveal(card) {
    if (!card) return;
    this.text.value = "";
    this.hasChosen = true;
    for (const element of this.element.children) element.card.widen(element === card.element);
    this.turn(Math.floor([...this.element.children].indexOf(card.element) / PAGE_CARDS));
    card.element.scrollIntoView({ block: "center" });
    card.button.focus({ preventScroll: true });
  }

  // Show the cards of this page that match the filter.
  arrange() {
    const all = [...this.element.children];
    id("empty").hidden = all.length > 0;
    id("legend").hidden = all.length === 0;
    id("filter").hidden = all.length < FILTER_FROM;
    const wanted = id("filter").hidden ? "" : this.text.value.trim().toLowerCase();
    const matches = all.filter(({ card }) => card.series.name.toLowerCase().includes(wanted));
    const pages = Math.max(1, Math.ceil(matches.length / PAGE_CARDS));
    this.page = Math.min(Math.max(0, this.page), pages - 1);
    const first = this.page * PAGE_CARDS;
    const shown = new Set(matches.slice(first, first + PAGE_CARDS));
    for (const element of all) element.hidden = !shown.has(element);
    // The first card is wide until the user chooses another one.
    if (!this.hasChosen) for (const element of all) element.card.widen(element === matches[first] && matches.length > 1);
    id("no-match").hidden = all.length === 0 || matches.length > 0;
    put("no-match-text", `No series matches “${this.text.value.trim()}”.`);
    id("pager").hidden = pages === 1;
    put("pager-text", `${first + 1}–${first + shown.size} of ${count(matches.length)} series`);
    id("previous").disabled = this.page === 0;
    id("next").disabled = this.page === pages - 1;
  }

  // Show how many series the server does not send.
  showHidden(number) {
    id("left-out").hidden = !number;
    const more = number >= 100000 ? "100,000 or more" : count(number);
    put("left-out", `${more} more series ${number === 1 ? "is" : "are"} not shown: the page shows at most ${count(this.cards.size)}. A new series replaces a silent one.`);
  }
}

// Series with long steps first (hours before seconds), then by name.
function order(a, b) {
  return b.series.step - a.series.step || a.series.name.localeCompare(b.series.name, undefined, { numeric: true });
}

function id(name) {
  return document.getElementById(name);
}

function put(name, text) {
  if (id(name).textContent !== text) id(name).textContent = text;
}
