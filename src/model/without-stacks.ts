/** Runs `work`, whose errors get no stack: where they come from costs more to write down than the rest of the work. */
export function withoutStacks<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  // No assignment: it would throw where somebody has frozen `Error`.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return work();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
