import type { Recovered } from '../journal/index.ts';
import type { RunContext } from './run-context.ts';

/** Puts what an interrupted run had spent into the books, before anything new is spent. */
export async function bookRecovered(run: RunContext, recovered: Recovered): Promise<void> {
  for (let count = 0; count < recovered.subCalls; count++) {
    const ticket = run.ledger.openSubCall();
    if ('sent' in ticket) ticket.sent();
  }
  const ids = new Set(recovered.attempts.map(({ model }) => model));
  // A model that is no longer at hand has an unknown price.
  const models = new Map(
    await Promise.all(
      [...ids].map(async (id) => [id, (await run.models.withId(id)) ?? { id, price: undefined }] as const),
    ),
  );
  for (const attempt of recovered.attempts) {
    const depth = depthOf(attempt.scope, attempt.kind);
    const model = models.get(attempt.model) ?? { id: attempt.model, price: undefined };
    run.ledger.book({ model, depth, ...attempt.settlement });
  }
}

/** The depth a call ran at: one for each child its scope lies in, and one more for a sub-call. */
function depthOf(scope: string, kind: Recovered['attempts'][number]['kind']): number {
  const children = scope === '' ? 0 : scope.split('>').length;
  return children + (kind === 'sub' ? 1 : 0);
}
