/**
 * A process that stops itself between the record of a sub-call and its request: `node stopping-owner.ts asks STORE` asks, and `node
 * stopping-owner.ts works REDIS QUEUE LEASE_MS` works. With `FATHOM_TEST_UNFENCED` it does not ask whether it still owns the run: the
 * control of the tests.
 *
 * @module
 */
import { argv, env, kill, pid, stdout } from 'node:process';
import { startWorker } from '../../src/cluster/index.ts';
import { RemoteParent } from '../../src/cluster/remote-parent.ts';
import { createRlm, type Store } from '../../src/index.ts';
import type { JournalEntry } from '../../src/store/port.ts';
import { openKillStore } from '../resume/kill-script.ts';

const unfenced = env.FATHOM_TEST_UNFENCED !== undefined;
const [role, place = '', queue = '', leaseMs = ''] = argv.slice(2);
let stopped = false;

/** Stops this process once the first sub-call is recorded. */
function stopAt({ kind, body }: JournalEntry): void {
  if (stopped || kind !== 'begin' || (body as { readonly kind: string }).kind !== 'sub') return;
  stopped = true;
  stdout.write('stopped\n');
  kill(pid, 'SIGSTOP');
}

if (role === 'asks') await asks();
else await works();

async function asks(): Promise<void> {
  const store = openKillStore(place);
  await using rlm = createRlm({ model: 'openai/gpt-5', store: stopping(store) });
  const run = rlm.completion({ query: 'ROOT', context: 'a context' });
  stdout.write(`${run.id}\n`);
  const end = await run.then(
    ({ answer }) => String(answer),
    (error: unknown) => String((error as { readonly code?: string }).code),
  );
  stdout.write(`${end}\n`);
  await store.close().catch(() => undefined);
}

function stopping(store: Store): Store {
  const { journal, ownedForMs, ...rest } = store;
  return {
    ...rest,
    ...(!unfenced && ownedForMs !== undefined && { ownedForMs }),
    journal: {
      ...journal,
      async append(id, entry, durability) {
        await journal.append(id, entry, durability);
        stopAt(entry);
      },
    },
  };
}

async function works(): Promise<void> {
  const { append } = RemoteParent.prototype;
  RemoteParent.prototype.append = async function (this: RemoteParent, entry, durability) {
    await append.call(this, entry, durability);
    stopAt(entry);
  };
  if (unfenced) RemoteParent.prototype.ownedForMs = () => Number.POSITIVE_INFINITY;
  const onLine = (line: string): void => void stdout.write(`${line}\n`);
  await startWorker({ redis: place, queue, leaseMs: Number(leaseMs), concurrency: 1, onLine });
  stdout.write('ready\n');
}
