/**
 * Completion trees against the mock provider over real HTTP: one model name per depth, so that the provider's own account
 * says what each depth used.
 *
 * @module
 */
import './backend.ts';
import { expect } from 'vitest';
import type {
  CompletionRequest,
  CompletionRun,
  ReplChoice,
  Rlm,
  RlmOptions,
  RunEvent,
  Trajectory,
  Usage,
} from '../../src/index.ts';
import { selectBackend } from '../../src/repl/select.ts';
import { rlmOf } from '../engine/harness.ts';
import {
  type MockProvider,
  type MockProviderOptions,
  type MockRequest,
  type MockResponder,
  startMockProvider,
} from '../mock-provider/index.ts';

export { cell, checkEvents, rlmOf } from '../engine/harness.ts';

/** The backend under test by its name; an `Rlm` given a name has a backend, and so processes, of its own. */
export const BACKEND: string = await nameOf(process.env.FATHOM_TEST_REPL ?? 'auto');

async function nameOf(choice: string): Promise<string> {
  if (choice !== 'auto') return choice;
  const backend = await selectBackend(choice);
  await backend.close();
  return backend.name;
}

/** An `Rlm` that shares no process with others. */
export function ownProcesses(): Pick<RlmOptions, 'repl'> {
  return BACKEND === 'plain' ? {} : { repl: BACKEND as ReplChoice };
}

/** A tree's provider, closed at the end of the scope that uses it. */
export interface TreeProvider extends MockProvider, AsyncDisposable {
  /** The reference of a model there. */
  model(name: string): string;
}

/** Starts a provider for one test. */
export async function providerOf(
  respond: MockResponder,
  options: Omit<MockProviderOptions, 'respond'> = {},
): Promise<TreeProvider> {
  const mock = await startMockProvider({ respond, ...options });
  return Object.assign(Object.create(Object.getPrototypeOf(mock), Object.getOwnPropertyDescriptors(mock)), {
    model: (name: string) => `${mock.url}/v1#${name}`,
    [Symbol.asyncDispose]: () => mock.close(),
  }) as TreeProvider;
}

/** One model per depth: `d0` at the root, `d1`, `d2`, … below. */
export function modelsPerDepth(provider: TreeProvider, depths: number): Pick<RlmOptions, 'model' | 'subModel'> {
  const below = Array.from({ length: depths }, (_, index) => provider.model(`d${index + 1}`));
  return { model: provider.model('d0'), subModel: below };
}

/** A run under way with its events. */
export interface Grown<T> {
  readonly run: CompletionRun<T>;
  readonly events: readonly RunEvent[];
  readonly rlm: Rlm;
}

/** Starts a completion of an `Rlm` of its own. */
export function grow<T = string>(options: RlmOptions, request: Partial<CompletionRequest<T>> = {}): Grown<T> {
  const events: RunEvent[] = [];
  const rlm = rlmOf({ ...options, onEvent: (event) => events.push(event) });
  const run = rlm.completion<T>({ query: 'node r', context: 'x', ...request } as CompletionRequest<T>);
  return { run, events, rlm };
}

/** A root call of some completion, as opposed to a flat call: it has a system prompt. */
export function isRootCall(request: Pick<MockRequest, 'system'>): boolean {
  return request.system !== '';
}

/** The first user message of a request. */
export function firstUser(request: MockRequest): string {
  return request.messages.find(({ role }) => role === 'user')?.content ?? '';
}

/** 1 for a completion's first root call. */
export function turnOf(request: MockRequest): number {
  return request.messages.filter(({ role }) => role === 'assistant').length + 1;
}

/** Tokens and calls, by whatever key. */
export type Account = Record<string, { calls: number; inputTokens: number; outputTokens: number }>;

function add(account: Account, key: string, usage: { inputTokens: number; outputTokens: number }): void {
  account[key] ??= { calls: 0, inputTokens: 0, outputTokens: 0 };
  account[key].calls += 1;
  account[key].inputTokens += usage.inputTokens;
  account[key].outputTokens += usage.outputTokens;
}

/** The whole answers of the provider, by model. */
export function providerAccount(provider: MockProvider): Account {
  const account: Account = {};
  for (const { request, usage, outcome } of provider.calls) {
    if (outcome === 'replied') add(account, request.model, usage);
  }
  return account;
}

type UsageRecorded = Extract<RunEvent, { type: 'usage.recorded' }>;

/** The usage in the events, by a key of theirs. */
export function eventAccount(
  events: readonly RunEvent[],
  keyOf: (event: UsageRecorded) => string,
  which: (event: UsageRecorded) => boolean = () => true,
): Account {
  const account: Account = {};
  for (const event of events) {
    if (event.type === 'usage.recorded' && which(event)) add(account, keyOf(event), event);
  }
  return account;
}

/** A part of a result's usage as an account. */
export function usageAccount(usage: Usage, part: 'byModel' | 'byDepth'): Account {
  return Object.fromEntries(
    Object.entries(usage[part]).map(([key, { calls, inputTokens, outputTokens }]) => [
      part === 'byModel' ? modelName(key) : key,
      { calls, inputTokens, outputTokens },
    ]),
  );
}

/** The provider's name of a model of ours. */
export function modelName(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

/** The three accounts of a run, the provider's, the events' and the result's, agree. */
export function expectOneAccount(provider: MockProvider, events: readonly RunEvent[], usage: Usage): void {
  const finished = eventAccount(
    events,
    (event) => modelName(event.model),
    (event) => event.ok,
  );
  expect(finished).toEqual(providerAccount(provider));
  expect(usageAccount(usage, 'byModel')).toEqual(eventAccount(events, (event) => modelName(event.model)));
  expect(usageAccount(usage, 'byDepth')).toEqual(eventAccount(events, (event) => String(event.depth)));
}

/** A trajectory and all that are nested in it. */
export function nested(trajectory: Trajectory): Trajectory[] {
  const children = trajectory.turns
    .flatMap((turn) => turn.commands)
    .flatMap((command) => command.subCalls)
    .flatMap(({ child }) => (child === undefined ? [] : [child]));
  return [trajectory, ...children.flatMap(nested)];
}

/** A whole number below `bound`, the same for the same text on every run. */
export function chance(text: string, bound: number): number {
  let hash = 2_166_136_261;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) % bound;
}

/** How often a repeated test runs: `FATHOM_TREE_ROUNDS` times the default. */
export function rounds(byDefault: number): number {
  return Math.max(1, Math.round(byDefault * Number(process.env.FATHOM_TREE_ROUNDS ?? 1)));
}

/** Resolves when no request is open at the provider; its server learns of a closed socket an event later. */
export async function closedAt(provider: TreeProvider): Promise<number> {
  while (provider.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
  return performance.now();
}
