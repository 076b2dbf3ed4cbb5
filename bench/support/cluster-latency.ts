/** Spread of the latencies: the standard deviation of their logarithm. */
const SIGMA = 0.5;

/** The latency of a child's one sub-call in milliseconds: a quantile of the log-normal distribution for its number. */
export function latencyOf(child: number, medianMs: number): number {
  // Numbers that are spread evenly: the golden ratio.
  const share = (child * 0.618_033_988_749_895 + 0.5) % 1;
  // Quantile of the logistic distribution, which is close to the normal one.
  return medianMs * Math.exp((SIGMA * Math.log(share / (1 - share))) / 1.702);
}

/** The makespan of the latencies on so many places, in the order in which they are asked for. */
export function idealMs(
  places: number,
  { children, medianMs }: { readonly children: number; readonly medianMs: number },
): number {
  const free = Array.from({ length: places }, () => 0);
  for (let child = 0; child < children; child++) {
    const next = free.indexOf(Math.min(...free));
    free[next] = (free[next] ?? 0) + latencyOf(child, medianMs);
  }
  return Math.max(...free);
}
