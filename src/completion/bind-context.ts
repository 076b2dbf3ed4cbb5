import type { ContextSet, LoadedContext, Projection } from '../context/index.ts';
import { RlmError } from '../errors.ts';
import type { ContextFacts } from '../event/event.ts';
import type { ReplBindings, ReplValue } from '../repl/port.ts';
import { RESERVED_NAMES } from '../subcall/toolbox.ts';
import type { RunContext } from './run-context.ts';

/** What is bound for a completion, and what is told of it. */
export interface BoundContext {
  readonly bindings: ReplBindings;
  /** The names of the context's variables as the first message gives them. */
  readonly names: readonly string[];
  readonly facts: readonly ContextFacts[];
  readonly projections: ReadonlyMap<string, Projection>;
}

/**
 * The bindings of a completion. A single context is `context` and `context_n`, where n counts the contexts of the REPL's
 * life; named ones have their own names, and `context` is a read-only mapping of them.
 *
 * @throws RlmError `reserved-name`, `duplicate-name`
 */
export function bindContext(run: RunContext, index: number): BoundContext {
  const projections = new Map<string, Projection>();
  const values: Record<string, ReplValue> = {};
  const { contexts, toolbox, answerType } = run;
  if (contexts.kind === 'one') {
    const numbered = `context_${index}`;
    values[numbered] = register(numbered, contexts.context, projections);
    values.context = { kind: 'alias', of: numbered };
  } else {
    for (const [name, context] of contexts.contexts) {
      checkFree(name, toolbox);
      values[name] = register(name, context, projections);
    }
    values.context = { kind: 'mapping', names: [...contexts.contexts.keys()] };
  }
  return {
    bindings: {
      values: { ...values, ...toolbox.values },
      tools: toolbox.bindings,
      output: answerType === undefined ? null : { properties: answerType.properties },
    },
    names: contexts.kind === 'one' ? ['context', `context_${index}`] : [...contexts.contexts.keys()],
    facts: factsOf(contexts),
    projections,
  };
}

function register(name: string, context: LoadedContext, projections: Map<string, Projection>): ReplValue {
  if (context.value.kind !== 'projection' || context.projection === undefined) return context.value;
  projections.set(name, context.projection);
  return { ...context.value, id: name };
}

function checkFree(name: string, toolbox: RunContext['toolbox']): void {
  const taken = Object.hasOwn(toolbox.values, name) || toolbox.bindings.some((tool) => tool.name === name);
  if (!taken && !RESERVED_NAMES.has(name)) return;
  throw new RlmError({
    code: taken ? 'duplicate-name' : 'reserved-name',
    message: `The context ${name} cannot have that name: ${taken ? 'a tool has it' : 'the REPL binds it itself'}. Choose another.`,
    userAction: true,
    data: { name },
  });
}

function factsOf(contexts: ContextSet): readonly ContextFacts[] {
  const named: Iterable<[string, LoadedContext]> =
    contexts.kind === 'one' ? [['context', contexts.context]] : contexts.contexts;
  return [...named].map(([name, context]) => ({
    name,
    type: context.type,
    ...(context.size !== undefined && { size: context.size }),
  }));
}
