import { ulid } from 'ulid';
import { invalidSeed } from '../context/seeds.ts';
import type { ChildOptions } from '../engine/run.ts';
import type { Limits } from '../limits.ts';
import type { ModelSettings } from '../model/model-settings.ts';
import type { PromptOptions } from '../prompt/index.ts';
import type { JsonValue, ReplValue, SeedFromCell, ToolBinding } from '../repl/port.ts';
import { type ContextContent, contextContent, type SentContext } from './context-content.ts';

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
      ...(asked.seed !== undefined && { seed: sentSeeds(asked.seed) }),
      ...(asked.output !== undefined && { output: asked.output }),
      limits: limitsLeft(parent),
      models: Array.from({ length: depths }, (_, depth) => models.at(depth)).map(({ ref, id }) => ref ?? id),
      allowedModels: engine.defaults.allowedModels,
      tools: toolbox.bindings,
      values: Object.fromEntries(Object.entries(toolbox.values).map(([name, value]) => [name, plain(value)])),
      prompt,
      requireInspection,
      modelSettings,
    },
  };
}

/** @throws RlmError `invalid-seed` for a reference: its value is on this machine */
function sentSeeds(seed: Readonly<Record<string, SeedFromCell>>): Readonly<Record<string, SeedFromCell>> {
  const found = Object.entries(seed).find(([, { kind }]) => kind === 'reference');
  if (found === undefined) return seed;
  throw invalidSeed(`The seed value ${found[0]} is a value of the context, which workers cannot read: give its text`, {
    name: found[0],
  });
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
