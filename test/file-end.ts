/**
 * Work of a harness at the end of the test file under way. A worker may run many files and evaluate the harness once, so that
 * hooks at its top would run for the first file alone.
 *
 * @module
 */
const pending: (() => unknown)[] = [];

/** Calls `work` once, when the file under way ends; the last that was registered first. */
export function atFileEnd(work: () => unknown): void {
  pending.push(work);
}

/** Called by every-run.ts behind the tests of each file. */
export async function endFile(): Promise<void> {
  for (const work of pending.splice(0).reverse()) await work();
}
