import type { Recovered } from '../journal/index.ts';
import type { RunContext } from './run-context.ts';

/** Puts what an interrupted run had spent into the books, before anything new is spent. */
export function bookRecovered(run: RunContext, recovered: Recovered): void {
  for (let count = 0; count < recovered.subCalls; count++) {
    const ticket = run.ledger.openSubCall();
    if ('sent' in ticket) ticket.sent();
  }
  for (const attempt of recovered.attempts) {
    const depth = depthOf(attempt.scope, attempt.kind);
    const model = modelOf(attempt.model, run);
    run.ledger.book({ model, depth, ...attempt.settlement });
  }
}

/** The depth a call ran at: one for each child its scope lies in, and one more for a sub-call. */
function depthOf(scope: string, kind: Recovered['attempts'][number]['kind']): number {
  const children = scope === '' ? 0 : scope.split('>').length;
  return children + (kind === 'sub' ? 1 : 0);
}

/** The model of that id, for its price; a model that is no longer in the policy has an unknown price. */
function modelOf(
  id: string,
  run: RunContext,
): { readonly id: string; readonly price: ReturnType<RunContext['models']['at']>['price'] } {
  for (let depth = 0; depth <= run.limits.maxDepth; depth++) {
    const model = run.models.at(depth);
    if (model.id === id) return model;
  }
  return { id, price: undefined };
}
