// What hinders the page from showing what is now, in one sentence.

import { clock, duration } from "./format.js";

// So long without a forecast while events come is more than a slow batch.
const STALLED_S = 10;

// [kind, sentence], or null where all is well. `lost`: when the page's server fell silent, or null.
export function hindrance(lost, broker, totals, training) {
  if (lost !== null) return ["lost", `The server of this page has not answered since ${clock(lost)}. Trying again …`];
  if (broker.connected === false) {
    const why = broker.problem ? ` (${broker.problem})` : "";
    const before = totals.events ? "; below is what came before" : "";
    return ["lost", `Kafka's broker ${broker.address} has not answered since ${clock(broker.since)}${before}. Trying again …${why}`];
  }
  if (broker.connected === null) return ["wait", `Looking for Kafka's broker ${broker.address} … ${broker.problem}`];
  const needed = [...totals.topics.in.split(", "), totals.topics.out];
  const missing = broker.missing.filter(({ topic }) => needed.includes(topic));
  if (training) return null;
  if (broker.problem) return ["wait", broker.problem];
  if (totals.outages.length) {
    const each = totals.outages.map(({ route, since, reason }) => `${route} since ${clock(Date.parse(since) / 1000)} (${reason})`);
    return ["out", `Out: ${each.join("; ")}. Its events wait, and none is lost.`];
  }
  if (missing.length) return ["wait", `Waiting: ${missing.map(({ topic, reason }) => `the topic ${topic} ${reason}`).join(", ")}.`];
  const silent = totals.answer_age_s === null || totals.answer_age_s > STALLED_S;
  if (totals.waiting > 0 && !broker.skipped && silent) {
    const since = totals.answer_age_s === null ? "" : ` for ${duration(totals.answer_age_s).join(" ")}`;
    const waiting = totals.waiting === 1 ? "1 event has" : `${totals.waiting.toLocaleString("en")} events have`;
    return ["wait", `${waiting} no answer, and nothing has come out${since}: is the consumer running (fncast consume)?`];
  }
  if (broker.skipped) return ["note", `${broker.skipped.toLocaleString("en")} records were left out to keep up; figures are of the others.`];
  return null;
}
