import { ulid } from 'ulid';
import { contextText } from '../context/context-text.ts';
import type { LoadedContext } from '../context/index.ts';
import { invalidSeed, loadSeeds } from '../context/seeds.ts';
import type { CommandPolicy } from '../engine/command-policy.ts';
import type { ChildOptions } from '../engine/run.ts';
import type { Limits } from '../limits.ts';
import type { ModelSettings } from '../model/model-settings.ts';
import type { PromptOptions } from '../prompt/index.ts';
import type { JsonValue, ReplValue, SeedFromCell, ToolBinding } from '../repl/port.ts';
import { type ContextContent, contextContent, type SentContext } from './context-content.ts';

/** The parts of a policy that a worker has to know; its functions stay with the process that asked. */
export interface PolicyFacts {
  readonly asks: boolean;
  readonly maxRefusals?: number;
}

/** A child completion as it travels to a worker: plain data, without keys, headers or tools. */
export interface ChildJob {
  readonly version: 1;
  /** Mailbox of the process that waits for it. */
  readonly coordinator: string;
  /** Names the child there. */
  readonly childId: string;
  readonly runId: string;
  readonly parentRunId: string;
  readonly traceId: string;
  readonly depth: number;
  /** Its scope in the journal. */
  readonly path: string;
  readonly query: string;
  readonly context?: SentContext;
  /** By value. */
  readonly seed?: Readonly<Record<string, SeedFromCell>>;
  /** JSON Schema of the answer. */
  readonly output?: { readonly [key: string]: JsonValue };
  /** Of the tree, those of budget and time by what is left of them; as `recordedLimits` takes them. */
  readonly limits: Partial<Limits>;
  /** References, from depth 0 to the depth from which on they are the same. */
  readonly models: readonly string[];
  readonly allowedModels: readonly string[];
  readonly tools: readonly ToolBinding[];
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly prompt: PromptOptions;
  readonly requireInspection: boolean;
  readonly modelSettings: ModelSettings;
  /** Its commands are checked by the process that asked. */
  readonly policy?: PolicyFacts;
}

/** A child as a job, and its context. */
export interface PreparedJob {
  readonly job: ChildJob;
  readonly content: ContextContent | undefined;
}

/** Describes a child for a worker; `coordinator` is the mailbox of this process. */
export async function childJob(options: ChildOptions, coordinator: string): Promise<PreparedJob> {
  const { parent, asked, models, child } = options;
  const { limits, tree, toolbox, prompt, requireInspection, modelSettings, engine } = parent;
  const content = asked.context === undefined ? undefined : await contextContent(asked.context);
  const depths = Math.max(limits.maxDepth, models.depths) + 1;
  return {
    content,
    job: {
      version: 1,
      coordinator,
      childId: ulid(),
      runId: child.runId,
      parentRunId: parent.id,
      traceId: tree.id,
      depth: parent.depth + 1,
      path: child.journal.path,
      query: asked.query,
      ...(content !== undefined && { context: content.sent }),
      ...(await sentSeeds(options)),
      ...(asked.output !== undefined && { output: asked.output }),
      limits: limitsLeft(parent),
      models: Array.from({ length: depths }, (_, depth) => models.at(depth)).map(({ ref, id }) => ref ?? id),
      allowedModels: engine.defaults.allowedModels,
      tools: toolbox.bindings,
      values: Object.fromEntries(Object.entries(toolbox.values).map(([name, value]) => [name, plain(value)])),
      prompt,
      requireInspection,
      modelSettings,
      ...(engine.defaults.policy !== undefined && { policy: policyFacts(engine.defaults.policy) }),
    },
  };
}

/** Seed values by value. @throws RlmError `invalid-seed` for one that has to be read on this machine */
async function sentSeeds({ asked, request, parent }: ChildOptions): Promise<Pick<ChildJob, 'seed'>> {
  if (asked.seed === undefined) return {};
  const given = await loadSeeds(request.seed);
  const sent = Object.entries(asked.seed).map(async ([name, value]) => {
    const loaded = given.get(name);
    const byValue = value.kind !== 'reference' || loaded === undefined ? value : await valueOfText(loaded, parent);
    if (byValue !== undefined) return [name, byValue] as const;
    const what = `The seed value ${name} is a document or a projection of the context, which workers cannot read`;
    throw invalidSeed(`${what}: give its text`, { name });
  });
  return { seed: Object.fromEntries(await Promise.all(sent)) };
}

/** A text or JSON value of the context; undefined for every other one. */
async function valueOfText(
  loaded: LoadedContext,
  { limits }: ChildOptions['parent'],
): Promise<SeedFromCell | undefined> {
  const { value } = loaded;
  if (value.kind === 'json') return { kind: 'json', json: value.json };
  if (value.kind !== 'text' && !(value.kind === 'file' && value.as === 'text')) return undefined;
  const whole = await contextText({ kind: 'one', context: loaded }, limits.promptBytes);
  return 'text' in whole ? { kind: 'text', text: whole.text } : undefined;
}

function policyFacts({ ask, maxRefusals }: CommandPolicy): PolicyFacts {
  return { asks: ask !== undefined, ...(maxRefusals !== undefined && { maxRefusals }) };
}

/** The limits of the tree, those of budget and time by what is left of them. JSON has no infinity. */
function limitsLeft({ limits, ledger, clock }: ChildOptions['parent']): ChildJob['limits'] {
  const left = {
    maxSubCalls: Math.floor(ledger.budget('calls').left),
    maxTokens: Math.floor(ledger.budget('tokens').left),
    maxCostUsd: ledger.budget('cost').left,
    maxDurationMs: Math.max(1, Math.floor(ledger.deadline - clock.now())),
  };
  const entries = Object.entries({ ...limits, ...left });
  return Object.fromEntries(entries.map(([name, value]) => [name, Number.isFinite(value) ? value : null]));
}

function plain(value: ReplValue): JsonValue {
  return value.kind === 'json' ? (JSON.parse(value.json) as JsonValue) : null;
}
