import type { JsonValue, ToolBinding } from '../repl/port.ts';
import { type HostTool, type Toolbox, ToolError, type ToolSet } from '../tools/toolbox.ts';

/** The tools of a session, as its record keeps them: enough to bind them again, not to call them. */
export interface RecordedTools {
  readonly bindings: readonly ToolBinding[];
  /** Tools that are plain values: JSON texts by name. */
  readonly values: Readonly<Record<string, string>>;
}

export const NO_TOOLS: RecordedTools = { bindings: [], values: {} };

/** The parts of a toolbox that a session records. */
export function recordTools({ bindings, values }: Toolbox): RecordedTools {
  const json = Object.entries(values).flatMap(([name, value]) => (value.kind === 'json' ? [[name, value.json]] : []));
  return { bindings, values: Object.fromEntries(json) as Record<string, string> };
}

/** Both, where a name is in both the newer one. */
export function mergeTools(before: RecordedTools, { bindings, values }: RecordedTools): RecordedTools {
  const taken = new Set([...bindings.map(({ name }) => name), ...Object.keys(values)]);
  const kept = Object.entries(before.values).filter(([name]) => !taken.has(name));
  return {
    bindings: [...before.bindings.filter(({ name }) => !taken.has(name)), ...bindings],
    values: { ...Object.fromEntries(kept), ...values },
  };
}

/** The tools of a session that is restored: those at hand, and for the others one that says what to give. */
export function restoredTools(recorded: RecordedTools, atHand: ToolSet): ToolSet {
  const missing = (name: string): Error =>
    new ToolError(
      'LookupError',
      `the tool ${name} is not available: the session was opened without it. Hand it over again: openSession(id, { tools: { ${name} } })`,
    );
  return { ...standIns(recorded, missing), ...atHand };
}

/** The same tools for a replay, which answers their calls from the journal and calls none. */
export function replayedTools(recorded: RecordedTools): ToolSet {
  return standIns(recorded, (name) => new ToolError('LookupError', `the tool ${name} is not called in a replay`));
}

function standIns({ bindings, values }: RecordedTools, error: (name: string) => Error): ToolSet {
  const callables = bindings.map(({ name, description, parameters }): readonly [string, HostTool] => [
    name,
    {
      description,
      inputSchema: {
        jsonSchema: { properties: Object.fromEntries(parameters.map((parameter) => [parameter, {}])) },
        validate: (value: unknown) => ({ success: true, value }),
      },
      execute: () => {
        throw error(name);
      },
    },
  ]);
  const parsed = Object.entries(values).map(([name, json]) => [name, JSON.parse(json) as JsonValue] as const);
  return { ...Object.fromEntries(callables), ...Object.fromEntries(parsed) };
}
