import type { CompletionRun } from '../src/index.ts';
import type { Rlm } from '../src/rlm.ts';

/** Milliseconds that runs take in the library, from the call of a door to their end. The rest of a request is the door's. */
export class RunTimes {
  readonly #times = new Map<string, number>();

  /** The `Rlm` for the door. */
  wrap(rlm: Rlm): Rlm {
    const completion = ((request) => {
      const begin = performance.now();
      const run: CompletionRun<unknown> = rlm.completion(request);
      const ended = (): void => void this.#times.set(run.id, performance.now() - begin);
      run.then(ended, ended);
      return run;
    }) as Rlm['completion'];
    return { ...rlm, completion };
  }

  /** The door's part of a request, for a run that has ended. */
  overhead(runId: string, requestMs: number): number {
    const time = this.#times.get(runId);
    if (time === undefined) throw new Error(`run ${runId} has not ended`);
    this.#times.delete(runId);
    return requestMs - time;
  }
}

/** The value that this part of the values is below: 0.5, 0.99. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

const MIB = 1024 * 1024;

/** Memory of this process in MiB, after a collection where one can be asked for. */
export function residentMib(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss / MIB;
}

/** Samples of the memory of this process while something works. */
export async function memoryWhile(
  work: () => Promise<unknown>,
): Promise<{ readonly first: number; readonly second: number }> {
  const sizes: number[] = [];
  const sampling = setInterval(() => sizes.push(residentMib()), 500);
  await work();
  clearInterval(sampling);
  const half = Math.floor(sizes.length / 2);
  return { first: Math.max(...sizes.slice(0, half)), second: Math.max(...sizes.slice(half)) };
}
