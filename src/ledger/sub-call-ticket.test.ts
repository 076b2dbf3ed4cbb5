import { expect, test } from 'vitest';
import { BudgetError, type Ledger, type SubCallTicket } from './index.ts';
import { budgetError, estimate, leftOf, never, now, open, used } from './testing.ts';

function ticketOf(ledger: Ledger): SubCallTicket {
  const ticket = ledger.openSubCall();
  if (ticket instanceof BudgetError) throw ticket;
  return ticket;
}

test('of a batch larger than what is left the first items get a place, in order', () => {
  const { ledger } = open({ maxSubCalls: 3 });
  const tickets = Array.from({ length: 5 }, () => ledger.openSubCall());
  expect(tickets.map((ticket) => ticket instanceof BudgetError)).toEqual([false, false, false, true, true]);
  expect(budgetError(tickets[3])).toMatchObject({
    message:
      'No sub-call is left: 3 of 3 sub-calls (maxSubCalls) are used or under way. Work with what there is, or raise maxSubCalls.',
    data: { resource: 'calls', limit: 3, spent: 0, reserved: 3, left: 0, needed: 1 },
  });
});

test('a sub-call that was never sent does not count, a failed one does', async () => {
  const { ledger } = open({ maxSubCalls: 2 });
  const [unsent, failed] = [ticketOf(ledger), ticketOf(ledger)];
  (await ledger.account({ kind: 'sub', ticket: unsent }).reserve(estimate(1, 1), never)).release();
  unsent.close();
  (await ledger.account({ kind: 'sub', ticket: failed }).reserve(estimate(1, 1), never)).settle(used(0, 0));
  failed.close();
  expect([ledger.subCalls, leftOf(ledger).calls]).toEqual([1, 1]);
});

test('retries count once', async () => {
  const { ledger } = open({ maxSubCalls: 2 });
  const ticket = ticketOf(ledger);
  const accounts = [ledger.account({ kind: 'sub', ticket }), ledger.account({ kind: 'sub' })];
  for (const account of accounts) {
    for (let attempt = 0; attempt < 3; attempt += 1) (await account.reserve(estimate(1, 1), never)).settle(used(1, 0));
  }
  ticket.close();
  expect([ledger.subCalls, ledger.usage().calls]).toEqual([2, 6]);
});

test('an account without a ticket takes a place with its first attempt, and gives it back when nothing was sent', async () => {
  const { ledger } = open({ maxSubCalls: 1, maxTokens: 100 });
  const account = ledger.account({ kind: 'sub' });
  const first = await account.reserve(estimate(60, 0), never);
  expect(budgetError(await now(ledger.account({ kind: 'sub' }).reserve(estimate(1, 1), never))).resource).toBe('calls');
  first.release();
  expect(leftOf(ledger).calls).toBe(1);
  budgetError(await now(account.reserve(estimate(101, 0), never)));
  expect(leftOf(ledger).calls).toBe(1);
  (await account.reserve(estimate(60, 0), never)).settle(used(1, 1));
  (await account.reserve(estimate(60, 0), never)).release();
  (await account.reserve(estimate(60, 0), never)).settle(used(1, 1));
  expect([ledger.subCalls, leftOf(ledger).calls]).toEqual([1, 0]);
});

test('an account whose attempt leaves the line gives its place back', async () => {
  const { ledger } = open({ maxSubCalls: 2, maxTokens: 100 });
  const root = await ledger.account({ kind: 'root' }).reserve(estimate(60, 0), never);
  const controller = new AbortController();
  const waits = ledger.account({ kind: 'sub' }).reserve(estimate(60, 0), controller.signal);
  expect(leftOf(ledger).calls).toBe(1);
  controller.abort();
  await now(waits);
  expect(leftOf(ledger).calls).toBe(2);
  root.release();
});

test('root turns and last calls take no place', async () => {
  const { ledger } = open({ maxSubCalls: 0 });
  for (const kind of ['root', 'final'] as const) {
    (await ledger.account({ kind }).reserve(estimate(1, 1), never)).settle(used(1, 1));
  }
  expect(ledger.subCalls).toBe(0);
});

test('a child’s sub-calls count in the tree, within its own limit', () => {
  const { ledger } = open({ maxSubCalls: 4 });
  ticketOf(ledger).sent();
  const child = ledger.child({ limits: { maxSubCalls: 2 } });
  ticketOf(child).sent();
  ticketOf(child).sent();
  expect(budgetError(child.openSubCall()).data).toMatchObject({ limit: 2, spent: 2 });
  expect([ledger.subCalls, child.subCalls, leftOf(ledger).calls]).toEqual([3, 2, 1]);
});

test('a ticket can be closed and sent in any order, as often as it happens', () => {
  const { ledger } = open({ maxSubCalls: 4 });
  const late = ticketOf(ledger);
  late.close();
  late.close();
  late.sent();
  late.sent();
  late.close();
  expect(ledger.budget('calls')).toMatchObject({ spent: 1, reserved: 0 });
});
