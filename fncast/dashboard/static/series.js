// One series as the server tells it: kept between changes, which name only what is new.

export class Series {
  constructor(name) {
    this.name = name;
    this.first = 0;
    this.times = [];
    this.actual = [];
    this.earlier = [];
  }

  // `told.from` is the first index told anew; what lies before it stays, from `told.first` on.
  update(told) {
    const at = told.from - this.first;
    if (at < 0 || at > this.times.length) {
      this.times = [], this.actual = [], this.earlier = [], this.first = told.from;
    }
    const keep = told.from - this.first;
    for (const name of ["times", "actual", "earlier"]) {
      this[name].length = Math.min(keep, this[name].length);
      this[name].push(...told[name]);
    }
    const drop = told.first - this.first;
    if (drop > 0) {
      for (const name of ["times", "actual", "earlier"]) this[name].splice(0, drop);
      this.first = told.first;
    }
    this.unit = told.unit;
    this.dated = told.dated;
    this.offset = told.offset_s;
    this.lead = told.lead;
    this.forecast = told.forecast;
    this.model = told.model;
    this.score = told.score;
    this.heard = told.heard_s;
    this.silentAfter = told.silent_after_s;
  }

  // `now` is the server's clock: the browser's may be wrong.
  silent(now) {
    return this.heard !== null && now - this.heard > this.silentAfter;
  }

  // When the latest reading was taken; null where readings have no times.
  get latestTime() {
    const at = this.actual.findLastIndex((value) => value !== null);
    return this.dated && at >= 0 ? this.times[at] : null;
  }

  // Whether the readings end about now, as far as their step allows to say.
  current(now) {
    const time = this.latestTime;
    return time !== null && Math.abs(now - time) <= Math.max(60, 2 * this.step);
  }

  // Seconds between two readings, or 1 where there are no times.
  get step() {
    return this.times.length > 1 ? this.times[1] - this.times[0] : 1;
  }

  get latest() {
    for (let at = this.actual.length - 1; at >= 0; at--) if (this.actual[at] !== null) return this.actual[at];
    return null;
  }

  // Columns for the chart: times, actual, earlier, low, high, median; the forecast opens from the reading before it.
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
