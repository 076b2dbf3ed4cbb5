/**
 * A provider in a process of its own that answers root calls with one cell and never answers any other call: what a cancel
 * has to close. It reports to its parent when as many calls hang as were asked for, and when the last of them is gone.
 *
 * @module
 */
import { startMockProvider } from '../../test/mock-provider/index.ts';

/** The reports of the provider to its parent. Moments are of the machine's monotonic clock, in nanoseconds. */
export type ProviderNews =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'full' }
  | { readonly kind: 'empty'; readonly at: string };

const calls = Number(process.argv[2]);
const cell = process.argv[3] ?? '';
let full = false;

const mock = await startMockProvider({
  respond: ({ system }) => {
    if (system !== '') return cell;
    if (mock.inFlight >= calls && !full) {
      full = true;
      report({ kind: 'full' });
      watch();
    }
    return { fault: 'hang-before-headers' };
  },
});
report({ kind: 'url', url: mock.url });
process.on('disconnect', () => process.exit(0));

function watch(): void {
  if (mock.inFlight > 0) {
    setImmediate(watch);
    return;
  }
  full = false;
  report({ kind: 'empty', at: String(process.hrtime.bigint()) });
}

function report(news: ProviderNews): void {
  process.send?.(news);
}
