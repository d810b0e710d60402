// Anomalies and thresholds in the chart of a series.

const RING = 5.5;

// Values that the range of the chart must include. marks: the incidents of the series. first: the chart's first time.
export function markedValues(marks, first) {
  const anomalies = marks.filter(({ what, peak_s: peak }) => what === "anomaly" && peak >= first);
  const open = marks.filter(({ what, closed_s: closed }) => what === "alert" && closed === null);
  return [...anomalies.map(({ expected }) => expected), ...open.map(({ threshold }) => threshold)].filter((value) => value !== null);
}

// Behind the lines: the time of each anomaly, and the threshold of each open alert.
export function drawBehind(plot, series, colours) {
  const { ctx, bbox } = plot;
  const last = series.times[series.actual.length - 1];
  clipped(plot, () => {
    for (const mark of series.marks) {
      if (mark.what === "anomaly" && mark.start_s !== null) {
        const end = mark.closed_s === null ? last : mark.end_s;
        const [left, right] = [mark.start_s - series.step / 2, end + series.step / 2].map((at) => plot.valToPos(at, "x", true));
        ctx.fillStyle = colours.anomaly;
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
      } else if (mark.what === "alert" && mark.closed_s === null && mark.threshold !== null) {
        const y = plot.valToPos(mark.threshold, "y", true);
        ctx.strokeStyle = colours.bad;
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
        line(ctx, bbox.left, y, bbox.left + bbox.width, y);
        ctx.setLineDash([]);
      }
    }
  });
}

// In front of the lines: the worst reading of each anomaly, and the value that was expected for it.
export function drawInFront(plot, series, colours) {
  const { ctx } = plot;
  clipped(plot, () => {
    ctx.strokeStyle = colours.bad;
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([]);
    for (const mark of series.marks) {
      if (mark.what !== "anomaly" || mark.kind === "silent" || mark.peak_s === null || mark.value === null) continue;
      const x = plot.valToPos(mark.peak_s, "x", true), y = plot.valToPos(mark.value, "y", true);
      const radius = RING * devicePixelRatio;
      ctx.beginPath();
      ctx.arc(x, y, radius, 0, 2 * Math.PI);
      ctx.stroke();
      if (mark.expected === null) continue;
      const expected = plot.valToPos(mark.expected, "y", true);
      if (Math.abs(expected - y) > radius) line(ctx, x, y + Math.sign(expected - y) * radius, x, expected);
      line(ctx, x - radius, expected, x + radius, expected);
    }
  });
}

function clipped(plot, draw) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw();
  ctx.restore();
}

function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
