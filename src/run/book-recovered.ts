import type { Run } from '../engine/run.ts';
import type { Recovered } from '../journal/index.ts';
import type { BookedCall } from '../ledger/index.ts';

type Attempts = Recovered['attempts'];

/**
 * Puts into a run's ledger what it had spent before its tree was interrupted, before anything new is spent. The root's
 * ledger has it for the whole tree; a child counts its part in its own ledger alone.
 */
export async function bookRecovered(run: Run): Promise<void> {
  const { recovered } = run.tree;
  if (recovered === undefined) return;
  if (run.parent !== undefined) return await recallOwn(run, recovered);
  for (let count = 0; count < recovered.subCalls; count++) {
    const ticket = run.ledger.openSubCall();
    if ('sent' in ticket) ticket.sent();
  }
  for (const call of await booked(run, recovered.attempts)) run.ledger.book(call);
}

async function recallOwn(run: Run, { attempts }: Recovered): Promise<void> {
  const { path } = run.journal;
  const below = `${path}>`;
  const own = attempts.filter(({ scope }) => scope === path || scope.startsWith(below));
  if (own.length === 0) return;
  const calls = own.filter(({ kind }) => kind === 'sub').map(({ key }) => key);
  const children = own.map(({ scope }) => scope).filter((scope) => scope !== path);
  run.ledger.recall(await booked(run, own), new Set([...calls, ...children]).size);
}

async function booked(run: Run, attempts: Attempts): Promise<readonly BookedCall[]> {
  const ids = [...new Set(attempts.map(({ model }) => model))];
  const found = await Promise.all(ids.map((id) => run.models.withId(id)));
  const models = new Map(ids.map((id, index) => [id, found[index]]));
  return attempts.map(({ model: id, scope, kind, settlement }) => ({
    // A model that is no longer at hand has an unknown price.
    model: models.get(id) ?? { id, price: undefined },
    depth: depthOf(scope, kind),
    ...settlement,
  }));
}

/** The depth a call ran at: one for each child its scope lies in, and one more for a sub-call. */
function depthOf(scope: string, kind: Attempts[number]['kind']): number {
  const children = scope === '' ? 0 : scope.split('>').length;
  return children + (kind === 'sub' ? 1 : 0);
}
