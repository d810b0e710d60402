// The panel with the dead letters and their reasons.

import { byId, element } from "./elements.js";
import { count } from "./numbers.js";
import { clock } from "./times.js";

export class DeadLettersPanel {
  constructor() {
    this.button = byId("dead-letters-button");
    this.panel = byId("dead-letters-panel");
    this.button.onclick = () => this.show(this.panel.hidden);
  }

  show(open) {
    this.panel.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    this.showLabel();
  }

  update(letters) {
    this.letters = letters;
    this.button.disabled = letters.total === 0;
    if (letters.total === 0) this.show(false);
    this.showLabel();
    byId("reasons").replaceChildren(...letters.reasons.map(reasonItem));
    byId("latest").replaceChildren(...letters.latest.map(letterItem));
  }

  showLabel() {
    const kinds = this.letters?.reasons.length ?? 0;
    const closed = kinds === 1 ? "show the reason" : `show ${kinds} reasons`;
    this.button.textContent = kinds === 0 ? "no dead letters" : this.panel.hidden ? closed : "hide";
  }
}

function reasonItem({ reason: text, count: number }) {
  const item = element("li");
  item.append(element("b", "", count(number)), element("span", "", text));
  return item;
}

function letterItem({ time, reason: text, event, series, from }) {
  const item = element("li");
  const where = [time === null ? "" : clock(time), series, event && `event ${event}`, from].filter(Boolean);
  item.append(element("span", "", text), element("span", "note", where.join(" · ")));
  return item;
}
