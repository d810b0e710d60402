// The panel with what the monitor reports: anomalies, alerts, and the accuracy by series.

import { byId, element, setText } from "./elements.js";
import { details, sentence, stateText } from "./incident_text.js";
import { count, counted, percent, withUnit } from "./numbers.js";
import { ago } from "./times.js";

// A skill nearer to 0 than this is shown without a colour.
const SAME = 0.005;

export class MonitorPanel {
  // cards: by series. reveal: shows the card of a series.
  constructor(cards, reveal) {
    this.cards = cards;
    this.reveal = reveal;
    this.incidents = { open: [], closed: [], left_out: 0 };
    this.accuracy = { rows: [], left_out: 0 };
    this.items = [];
  }

  // incidents, accuracy: undefined if they did not change.
  update(incidents, accuracy) {
    if (incidents) {
      this.incidents = incidents;
      for (const card of this.cards.values()) this.markCard(card);
    }
    if (accuracy) this.accuracy = accuracy;
    this.isDirty ||= Boolean(incidents || accuracy);
  }

  // Give a card the incidents of its series.
  markCard(card) {
    const { open, closed } = this.incidents;
    const marks = [...open, ...closed].filter(({ series }) => series === card.series.name);
    if (marks.length || card.series.marks.length) card.isDirty = true;
    card.series.marks = marks;
  }

  // age: seconds since the last report of a monitor; null if there was none.
  draw(age, now) {
    byId("monitor-empty").hidden = age !== null;
    byId("monitor-columns").hidden = age === null;
    if (age === null) return;
    setText("monitor-age", `last report ${ago(age)}`);
    if (this.isDirty || this.drawnCards !== this.cards.size) {
      this.isDirty = false;
      this.drawnCards = this.cards.size; // draw again after a new card: it gives the unit of its series
      this.drawIncidents(now);
      this.drawAccuracy();
    }
    for (const { incident, when } of this.items) {
      setText(when, stateText(incident, now));
    }
  }

  drawIncidents(now) {
    const { open, closed, left_out: leftOut } = this.incidents;
    this.items = [...open, ...closed].map((incident) => this.createItem(incident, now));
    byId("incidents").replaceChildren(...this.items.map(({ line }) => line));
    const more = leftOut ? ` Not shown: ${counted(leftOut, "older open one")}.` : "";
    const none = "Nothing is unusual, and no reading is expected to cross a threshold. [[alerts]] in fncast.toml sets thresholds.";
    const total = open.length + leftOut;
    const ended = closed.length ? `, ${count(closed.length)} ended` : "";
    setText("incidents-note", total || ended ? `${total ? count(total) : "None"} open${ended}.${more}` : none);
  }

  createItem(incident, now) {
    const series = this.cards.get(incident.series)?.series;
    const line = element("li", incident.closed_s === null ? "open" : "closed");
    line.dataset.what = incident.what;
    const name = element("button", "name", incident.series);
    name.type = "button";
    name.disabled = !series;
    name.onclick = () => this.reveal(incident.series);
    const when = element("span", "when");
    line.append(element("span", "tag", incident.what), name, when, element("span", "what", sentence(incident, series, now)), element("span", "note", details(incident, series, now)));
    return { incident, line, when };
  }

  drawAccuracy() {
    const { rows, left_out: leftOut } = this.accuracy;
    byId("accuracy").replaceChildren(...rows.map((row) => this.createRow(row)));
    byId("accuracy-table").hidden = rows.length === 0;
    const none = "No figures yet. They come after 100 compared forecast steps of a series.";
    setText("accuracy-note", rows.length ? `${leftOut ? `${count(rows.length)} of ` : ""}${counted(rows.length + leftOut, "row")}, the worst first.` : none);
  }

  createRow({ series, model, mae, skill, coverage, steps }) {
    const row = element("tr");
    const shown = this.cards.get(series)?.series;
    const name = element("th", "", series);
    name.scope = "row";
    name.title = series;
    const verdict = skill === null || Math.abs(skill) < SAME ? "" : skill > 0 ? "good" : "bad";
    const cells = [
      element("td", "", model || "–"),
      element("td", "", mae === null ? "–" : withUnit(mae, shown?.unit ?? "")),
      element("td", verdict, skill === null ? "–" : `${skill > 0 ? "+" : ""}${percent(skill)}`),
      element("td", "", coverage === null ? "–" : percent(coverage)),
      element("td", "", steps === null ? "–" : count(steps)),
    ];
    row.append(name, ...cells);
    return row;
  }
}
