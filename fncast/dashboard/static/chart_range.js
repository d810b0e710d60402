// The range of a chart's value axis.

// A band may extend the range of the readings by this share. A wider band is cut, so that the readings stay readable.
const BAND_SHARE = 0.8;
const MARGIN_SHARE = 0.07;
// The range shrinks only when the content needs less than this share of it, so that the chart does not jump.
const SHRINK_BELOW = 0.6;

// The range that the content needs: [low, high]. columns: as `Series.columns` returns them. marked: more values.
export function neededRange([, actual, earlier, low, high, median], marked) {
  let [bottom, top] = extent(actual, earlier, median, marked);
  if (bottom > top) return [0, 1];
  const span = top - bottom;
  const [bandLow, bandHigh] = extent(low, high);
  if (bandLow <= bandHigh) {
    const limit = span > 0 ? BAND_SHARE * span : bandHigh - bandLow;
    bottom = Math.max(Math.min(bottom, bandLow), bottom - limit);
    top = Math.min(Math.max(top, bandHigh), top + limit);
  }
  const margin = top > bottom ? MARGIN_SHARE * (top - bottom) : Math.abs(top) * 0.05 || 1;
  // Values that are never negative get no margin below 0.
  return [bottom >= 0 && bottom - margin < 0 ? 0 : bottom - margin, top + margin];
}

// The range to show. needed: for the content. shown: the range so far, or undefined.
export function steadyRange(needed, shown) {
  if (!shown) return needed;
  const fits = needed[0] >= shown[0] && needed[1] <= shown[1];
  const isFilled = (needed[1] - needed[0]) / (shown[1] - shown[0]) > SHRINK_BELOW;
  if (fits && isFilled) return shown;
  // Grow at once, and only on the side that needs it.
  return fits || !isFilled ? needed : [Math.min(needed[0], shown[0]), Math.max(needed[1], shown[1])];
}

// The lowest and the highest value of all lists, without nulls. Without values: [Infinity, -Infinity].
function extent(...lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const value of list) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
}
