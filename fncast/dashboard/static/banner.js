// The sentence in the banner: why the page does not show current forecasts.

import { clock, duration } from "./times.js";

// Events without an answer for this long mean a problem, not a slow batch.
const STALLED_S = 10;

// Returns [kind, sentence], or null if there is no problem.
// lost: when the page's server stopped answering (seconds since 1970), or null. isTraining: whether a model is trained.
export function bannerMessage(lost, broker, totals, isTraining) {
  if (lost !== null) return ["lost", `The server of this page has not answered since ${clock(lost)}. Trying again …`];
  if (broker.connected === false) {
    const why = broker.problem ? ` (${broker.problem})` : "";
    const before = totals.events ? " The figures below are from before the outage." : "";
    return ["lost", `The Kafka broker ${broker.address} has not answered since ${clock(broker.since)}${why}.${before} Trying again …`];
  }
  if (broker.connected === null) return ["wait", `Connecting to the Kafka broker ${broker.address} … ${broker.problem}`];
  const needed = [...totals.topics.in.split(", "), totals.topics.out];
  const missing = broker.missing.filter(({ topic }) => needed.includes(topic));
  if (isTraining) return null;
  if (broker.problem) return ["wait", broker.problem];
  if (totals.outages.length) {
    const routes = totals.outages.map(({ route, since, reason }) => `${route} since ${clock(Date.parse(since) / 1000)} (${reason})`);
    const [are, their] = routes.length === 1 ? ["A route is", "Its"] : ["Routes are", "Their"];
    return ["out", `${are} out: ${routes.join("; ")}. ${their} events wait. None of them is lost.`];
  }
  if (missing.length) return ["wait", `Waiting: ${missing.map(({ topic, reason }) => `the topic ${topic} ${reason}`).join(", ")}.`];
  const isStalled = totals.answer_age_s === null || totals.answer_age_s > STALLED_S;
  if (totals.waiting > 0 && !broker.skipped && isStalled) {
    const since = totals.answer_age_s === null ? "" : ` for ${duration(totals.answer_age_s).join(" ")}`;
    const waiting = totals.waiting === 1 ? "1 event has" : `${totals.waiting.toLocaleString("en")} events have`;
    return ["wait", `${waiting} no answer, and there was no output${since}. Is the consumer running (fncast consume)?`];
  }
  if (broker.skipped) return ["note", `${broker.skipped.toLocaleString("en")} records were skipped to keep up. The figures do not include them.`];
  return null;
}
