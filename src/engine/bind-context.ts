import type { LoadedContext } from '../context/index.ts';
import { invalidSeed } from '../context/seeds.ts';
import { RlmError } from '../errors.ts';
import type { ContextFacts } from '../event/event.ts';
import { isReservedName } from '../repl/names.ts';
import type { ReplValue } from '../repl/port.ts';
import type { Run } from './run.ts';
import type { Bound, ContextsInForce, Workspace } from './workspace.ts';

/** The bindings of a completion, and the facts about them for the event. */
export interface BoundContext extends Bound {
  readonly facts: readonly ContextFacts[];
}

/**
 * The bindings of a completion. A single context is `context` and `context_n`, where n counts the contexts of the REPL;
 * named ones have their own names, and `context` is a read-only mapping of them. A completion without a context of its own
 * works on its session's.
 *
 * @throws RlmError `reserved-name`, `duplicate-name`
 */
export function bindContext(run: Run, workspace: Workspace): BoundContext {
  const { contexts, toolbox, answerType, models, depth } = run;
  const before = workspace.contextsInForce();
  const none = contexts.kind === 'one' && contexts.context.value.kind === 'none';
  const kept = none ? before : undefined;
  const { values, ...inForce } = kept === undefined ? valuesOf(run, workspace) : { ...kept, values: {} };
  const shown = kept === undefined ? workspace.contextFiles.add(contexts) : { files: [], words: kept.files };
  return {
    bindings: {
      values: { ...values, ...handedValues(run, workspace), ...toolbox.values },
      ...(shown.files.length > 0 && { files: shown.files }),
      tools: toolbox.bindings,
      output: answerType === undefined ? null : { properties: answerType.properties },
      price: models.inUse(models.at(depth + 1)).price ?? null,
    },
    inForce: { ...inForce, ...(shown.words !== undefined && { files: shown.words }) },
    facts: factsOf({ ...run, contexts: inForce.contexts }),
  };
}

interface ContextValues extends ContextsInForce {
  readonly values: Readonly<Record<string, ReplValue>>;
}

function valuesOf({ contexts, toolbox }: Run, workspace: Workspace): ContextValues {
  const index = workspace.nextContext();
  const numbered = `context_${index}`;
  if (contexts.kind === 'one') {
    workspace.bound.set('context', contexts.context);
    workspace.bound.set(numbered, contexts.context);
    const values: Record<string, ReplValue> = {
      [numbered]: boundValue(numbered, contexts.context, workspace),
      context: { kind: 'alias', of: numbered },
    };
    return { values, contexts, names: ['context', numbered] };
  }
  const values: Record<string, ReplValue> = {};
  const names = [...contexts.contexts.keys()];
  checkContextNames({ contexts, toolbox });
  for (const [name, context] of contexts.contexts) {
    workspace.bound.set(name, context);
    values[name] = boundValue(`${numbered}.${name}`, context, workspace);
  }
  values[numbered] = { kind: 'mapping', names };
  values.context = { kind: 'alias', of: numbered };
  return { values, contexts, names };
}

/** Seed values and attachments, under the names `seed` and `attachments`. @throws RlmError `invalid-seed` */
function handedValues(
  { id, seeds, attachments, toolbox, contexts }: Run,
  workspace: Workspace,
): Readonly<Record<string, ReplValue>> {
  const values: Record<string, ReplValue> = {};
  const bind = (name: string, context: LoadedContext): void => {
    workspace.bound.set(name, context);
    values[name] = boundValue(`${id} ${name}`, context, workspace);
  };
  const handed = [...(seeds.size > 0 ? ['seed'] : []), ...(attachments === undefined ? [] : ['attachments'])];
  for (const name of handed) checkUntaken(name, { contexts, toolbox });
  for (const [name, context] of seeds) bind(`seed.${name}`, context);
  if (seeds.size > 0) values.seed = { kind: 'mapping', names: [...seeds.keys()].map((name) => `seed.${name}`) };
  if (attachments !== undefined) bind('attachments', attachments);
  return values;
}

/** @throws RlmError `invalid-seed` where a tool or a context has the name */
export function checkUntaken(name: string, { contexts, toolbox }: Pick<Run, 'contexts' | 'toolbox'>): void {
  const isTool = Object.hasOwn(toolbox.values, name) || toolbox.bindings.some((tool) => tool.name === name);
  if (!isTool && !(contexts.kind === 'named' && contexts.contexts.has(name))) return;
  const what = name === 'seed' ? 'Seed values' : 'Attachments';
  throw invalidSeed(
    `${what} are bound to the name ${name}, which ${isTool ? 'a tool' : 'a context'} has: rename that`,
    {
      name,
    },
  );
}

/** The host identifies a projection by an id of its own: a later context may have the same name. */
function boundValue(id: string, context: LoadedContext, { projections }: Workspace): ReplValue {
  const { value, projection } = context;
  if (projection === undefined) return value;
  if (value.kind !== 'projection' && value.kind !== 'document' && value.kind !== 'documents') return value;
  projections.set(id, projection);
  return { ...value, id };
}

/** Whether the names of its contexts can be bound beside its tools. @throws RlmError `reserved-name`, `duplicate-name` */
export function checkContextNames({ contexts, toolbox }: Pick<Run, 'contexts' | 'toolbox'>): void {
  if (contexts.kind === 'named') for (const name of contexts.contexts.keys()) checkFree(name, toolbox);
}

function checkFree(name: string, toolbox: Run['toolbox']): void {
  const taken = Object.hasOwn(toolbox.values, name) || toolbox.bindings.some((tool) => tool.name === name);
  if (!taken && !isReservedName(name)) return;
  throw new RlmError({
    code: taken ? 'duplicate-name' : 'reserved-name',
    message: `The context ${name} cannot have that name: ${taken ? 'a tool has it' : 'the REPL binds this name itself'}. Choose another.`,
    userAction: true,
    data: { name },
  });
}

/** The facts about contexts, seed values and attachments for the event. */
export function factsOf({
  contexts,
  seeds,
  attachments,
}: Pick<Run, 'contexts' | 'seeds' | 'attachments'>): readonly ContextFacts[] {
  const named: Iterable<readonly [string, LoadedContext]> =
    contexts.kind === 'one' ? [['context', contexts.context]] : contexts.contexts;
  const handed = [...seeds].map(([name, value]) => [`seed.${name}`, value] as const);
  const attached = attachments === undefined ? [] : [['attachments', attachments] as const];
  return [...named, ...handed, ...attached].map(([name, context]) => ({
    name,
    type: context.type,
    ...(context.size !== undefined && { size: context.size }),
    ...(context.description !== undefined && { description: context.description }),
    ...(context.notes !== undefined && context.notes.length > 0 && { notes: context.notes }),
  }));
}
