// @ts-check
/** Numbers about numbers. */

/**
 * The middle value, or the mean of the two in the middle; NaN of nothing.
 * @param {readonly number[]} values
 */
export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * A histogram of times in milliseconds: buckets that grow by 2 %, so that a percentile is right within 1 %, whatever their number.
 */
export function createHistogram() {
  const first = 0.01;
  const growth = 1.02;
  const counts = new Uint32Array(1000);
  let count = 0;
  return {
    /** @param {number} ms */
    add(ms) {
      const bucket =
        ms <= first ? 0 : Math.min(counts.length - 1, Math.ceil(Math.log(ms / first) / Math.log(growth)));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      count += 1;
    },
    /** @param {number} p */
    percentile(p) {
      const rank = Math.max(1, Math.ceil((p / 100) * count));
      let seen = 0;
      for (const [bucket, n] of counts.entries()) {
        seen += n;
        if (seen >= rank) return first * growth ** (bucket - 0.5);
      }
      return Number.NaN;
    },
  };
}
