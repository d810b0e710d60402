// One series as the server sends it. The server sends only changes, so the rest is kept here.

export class Series {
  constructor(name) {
    this.name = name;
    this.first = 0;
    this.times = [];
    this.actual = [];
    this.earlier = [];
    this.marks = []; // anomalies and alerts
  }

  // Apply changes. `changes.from` is the first index that changed; `changes.first` is the first index to keep.
  update(changes) {
    const at = changes.from - this.first;
    if (at < 0 || at > this.times.length) {
      for (const name of ["times", "actual", "earlier"]) this[name] = [];
      this.first = changes.from;
    }
    const keep = changes.from - this.first;
    for (const name of ["times", "actual", "earlier"]) {
      // Not push(...): a forecast far ahead has more steps than a call may have arguments.
      this[name] = this[name].slice(0, keep).concat(changes[name]);
    }
    const drop = changes.first - this.first;
    if (drop > 0) {
      for (const name of ["times", "actual", "earlier"]) this[name].splice(0, drop);
      this.first = changes.first;
    }
    this.unit = changes.unit;
    this.dated = changes.dated;
    this.offset = changes.offset_s;
    this.lead = changes.lead;
    this.forecast = changes.forecast;
    this.model = changes.model;
    this.score = changes.score;
    this.lastEvent = changes.heard_s;
    this.silentAfter = changes.silent_after_s;
  }

  // now: the server's time; the browser's clock may be wrong.
  isSilent(now) {
    return this.lastEvent !== null && now - this.lastEvent > this.silentAfter;
  }

  // The time of the latest reading; null if readings have no times.
  get latestTime() {
    const at = this.actual.findLastIndex((value) => value !== null);
    return this.dated && at >= 0 ? this.times[at] : null;
  }

  // Whether the latest reading is about as old as the step.
  isCurrent(now) {
    const time = this.latestTime;
    return time !== null && Math.abs(now - time) <= Math.max(60, 2 * this.step);
  }

  // Seconds between two readings; 1 if readings have no times.
  get step() {
    return this.times.length > 1 ? this.times[1] - this.times[0] : 1;
  }

  get latest() {
    for (let at = this.actual.length - 1; at >= 0; at--) if (this.actual[at] !== null) return this.actual[at];
    return null;
  }

  // Columns for the chart: times, actual, earlier, low, high, median. The forecast starts at the reading before it.
  columns() {
    const size = this.times.length;
    const blank = () => new Array(size).fill(null);
    const [low, high, median] = [blank(), blank(), blank()];
    const { forecast } = this;
    if (forecast) {
      const start = forecast.start - this.first;
      const last = this.actual[start - 1] ?? null;
      if (last !== null) low[start - 1] = high[start - 1] = median[start - 1] = last;
      for (let step = 0; step < forecast.values.length; step++) {
        const at = start + step;
        if (at < 0 || at >= size) continue;
        median[at] = forecast.values[step];
        low[at] = forecast.low[step] ?? null;
        high[at] = forecast.high[step] ?? null;
      }
    }
    const padded = (values) => Object.assign(blank(), values);
    return [this.times, padded(this.actual), padded(this.earlier), low, high, median];
  }
}
