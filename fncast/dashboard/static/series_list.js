// The cards of all series: order, filter and pages.

import { byId, setText } from "./elements.js";
import { count } from "./numbers.js";

// Show the filter from this number of cards on.
const FILTER_FROM = 10;
// Cards on one page: a wide one, and rows of two, three or four.
const PAGE_CARDS = 13;

export class SeriesList {
  constructor(cards) {
    this.cards = cards;
    this.page = 0;
    this.hasChosen = false;
    this.element = byId("cards");
    this.text = byId("filter-text");
    this.text.addEventListener("input", () => this.turn(0));
    this.element.addEventListener("click", () => (this.hasChosen = true));
    byId("clear-filter").addEventListener("click", () => {
      this.text.value = "";
      this.turn(0);
      this.text.focus();
    });
    byId("previous").addEventListener("click", () => this.turn(this.page - 1, true));
    byId("next").addEventListener("click", () => this.turn(this.page + 1, true));
  }

  // Insert a new card in order.
  place(card) {
    const before = [...this.element.children].find((other) => order(card, other.card) < 0);
    this.element.insertBefore(card.element, before ?? null);
  }

  // Show another page.
  turn(page, scroll = false) {
    this.page = page;
    this.arrange();
    if (scroll) byId("series").scrollIntoView({ block: "start" });
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
    byId("empty").hidden = all.length > 0;
    byId("legend").hidden = all.length === 0;
    byId("filter").hidden = all.length < FILTER_FROM;
    const wanted = byId("filter").hidden ? "" : this.text.value.trim().toLowerCase();
    const matches = all.filter(({ card }) => card.series.name.toLowerCase().includes(wanted));
    const pages = Math.max(1, Math.ceil(matches.length / PAGE_CARDS));
    this.page = Math.min(Math.max(0, this.page), pages - 1);
    const first = this.page * PAGE_CARDS;
    const shown = new Set(matches.slice(first, first + PAGE_CARDS));
    for (const element of all) element.hidden = !shown.has(element);
    // The first card is wide until the user chooses another one.
    if (!this.hasChosen) for (const element of all) element.card.widen(element === matches[first] && matches.length > 1);
    byId("no-match").hidden = all.length === 0 || matches.length > 0;
    setText("no-match-text", `No series matches “${this.text.value.trim()}”.`);
    byId("pager").hidden = pages === 1;
    setText("pager-text", `${first + 1}–${first + shown.size} of ${count(matches.length)} series`);
    byId("previous").disabled = this.page === 0;
    byId("next").disabled = this.page === pages - 1;
  }

  // Show how many series the server does not send.
  showHidden(number) {
    byId("left-out").hidden = !number;
    const more = number >= 100000 ? "At least 100,000" : count(number);
    setText("left-out", `${more} more series ${number === 1 ? "is" : "are"} not shown: the page shows at most ${count(this.cards.size)}. A new series replaces a silent one.`);
  }
}

// Series with long steps first (hours before seconds), then by name.
function order(a, b) {
  return b.series.step - a.series.step || a.series.name.localeCompare(b.series.name, undefined, { numeric: true });
}
