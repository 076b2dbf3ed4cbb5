import type { ExecutedCommand, SubCall, Trajectory, Turn } from '../trajectory.ts';

/** Facts that the reference format needs besides the trajectory. */
export interface ReferenceLogOptions {
  /** When the run started; times of turns are counted from it. */
  readonly startedAt: Date;
  /** The answer as text; absent without one. */
  readonly answer?: string;
  readonly maxDepth?: number;
  readonly maxTurns?: number;
  /** The REPL backend. */
  readonly backend?: string;
  /** Models of sub-calls. */
  readonly subModels?: readonly string[];
  /** A bounded look at the context, shown as `locals.context`. Never the context itself. */
  readonly contextPreview?: string;
}

/**
 * A trajectory in the log format of the reference implementation (alexzhang13/rlm), so that its visualizer opens our
 * runs: a metadata line and one line per turn, children nested in the sub-calls that started them.
 *
 * Unlike the reference's own, each turn holds only what was said since the turn before, so that the file grows with new
 * text only.
 */
export function referenceLog(trajectory: Trajectory, options: ReferenceLogOptions): string {
  const lines = [metadata(trajectory, options), ...iterations(trajectory, options)];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** A file name as the reference implementation gives them: `<name>_<date>_<time>_<8 hex>.jsonl`. */
export function referenceLogName(name: string, startedAt: Date, hex8: string): string {
  const [date = '', time = ''] = startedAt.toISOString().split('T');
  return `${name}_${date}_${time.slice(0, 8).replaceAll(':', '-')}_${hex8}.jsonl`;
}

type Line = Readonly<Record<string, unknown>>;

function metadata({ rootModel }: Trajectory, options: ReferenceLogOptions): Line {
  const [provider] = rootModel.split('/');
  return {
    type: 'metadata',
    timestamp: options.startedAt.toISOString(),
    root_model: rootModel,
    max_depth: options.maxDepth ?? null,
    max_iterations: options.maxTurns ?? null,
    backend: provider ?? null,
    backend_kwargs: { model_name: rootModel },
    environment_type: options.backend ?? null,
    environment_kwargs: {},
    other_backends: options.subModels ?? null,
  };
}

function iterations(trajectory: Trajectory, options: ReferenceLogOptions): Line[] {
  const { turns, lastCall, query } = trajectory;
  const question = { role: 'user', content: asQuestion(query) };
  const lines: Line[] = [];
  let at = options.startedAt.getTime();
  let asked = '';
  for (const turn of turns) {
    lines.push(iteration(turn, { number: lines.length + 1, at, prompt: promptOf(question, asked), options }));
    at += turn.durationMs;
    asked = turn.feedback;
  }
  if (lastCall !== undefined) {
    const prompt = promptOf(question, lastCall.prompt);
    const turn: Turn = { number: lines.length + 1, reply: lastCall.reply, commands: [], feedback: '', durationMs: 0 };
    lines.push(iteration(turn, { number: turn.number, at, prompt, options }));
  }
  // The viewer shows an absent field as an answer: a turn without an answer has null.
  const last = lines.pop();
  return last === undefined ? [] : [...lines, { ...last, final_answer: options.answer ?? null }];
}

interface IterationPlace {
  readonly number: number;
  readonly at: number;
  readonly prompt: readonly Line[];
  readonly options: ReferenceLogOptions;
}

function iteration(turn: Turn, { number, at, prompt, options }: IterationPlace): Line {
  return {
    type: 'iteration',
    iteration: number,
    timestamp: new Date(at).toISOString(),
    prompt,
    response: turn.reply,
    code_blocks: turn.commands.flatMap((command) => codeBlock(command, at, options)),
    final_answer: null,
    iteration_time: seconds(turn.durationMs),
  };
}

function codeBlock(executed: ExecutedCommand, at: number, options: ReferenceLogOptions): Line[] {
  const code = codeOf(executed);
  if (code === undefined) return [];
  const { stdout = executed.shown, stderr = '', error, subCalls, durationMs } = executed;
  const trouble = error === undefined ? '' : (error.traceback ?? `${error.type}: ${error.message}`);
  const result = {
    stdout,
    stderr: [stderr, trouble].filter((text) => text !== '').join('\n'),
    locals: options.contextPreview === undefined ? {} : { context: options.contextPreview },
    execution_time: seconds(durationMs),
    rlm_calls: subCalls.map((call) => rlmCall(call, at, options)),
    final_answer: null,
  };
  return [{ code, result }];
}

function codeOf({ command }: ExecutedCommand): string | undefined {
  switch (command.type) {
    case 'cell':
      return command.code;
    case 'bash':
      return `!${command.command}`;
    case 'query-llm':
      return `llm_query(${JSON.stringify(command.prompt)})`;
    case 'query-llm-batched':
      return `llm_query_batched(${JSON.stringify(command.items)})`;
    default:
      return undefined; // Answers and snapshots ran no code.
  }
}

function rlmCall(call: SubCall, at: number, options: ReferenceLogOptions): Line {
  const { inputTokens, outputTokens, costUsd } = call.usage;
  const cost = costUsd === null ? {} : { total_cost: costUsd };
  const usage = { total_calls: 1, total_input_tokens: inputTokens, total_output_tokens: outputTokens, ...cost };
  return {
    root_model: call.model,
    prompt: call.prompt,
    response: call.reply,
    usage_summary: { model_usage_summaries: { [call.model]: usage }, ...cost },
    // Shown by the viewer, though the reference's own logger never writes them.
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    execution_time: seconds(call.durationMs),
    ...(call.child === undefined ? {} : { metadata: childLog(call.child, call, at, options) }),
    ...(call.error === undefined ? {} : { error: `${call.error.code}: ${call.error.message}` }),
  };
}

function childLog(child: Trajectory, call: SubCall, at: number, parent: ReferenceLogOptions): Line {
  const { contextPreview: _, answer: __, ...rest } = parent;
  const options = { ...rest, startedAt: new Date(at), ...(call.ok ? { answer: call.reply } : {}) };
  return { run_metadata: metadata(child, options), iterations: iterations(child, options) };
}

function promptOf(question: Line, asked: string): Line[] {
  return asked === '' ? [question] : [question, { role: 'user', content: asked }];
}

/** The viewer shows as question a first message of 51 to 499 characters, or the quoted text after these words. */
function asQuestion(query: string): string {
  const shown = query.length > 50 && query.length < 500 && !query.includes('answer the prompt');
  return shown ? query : `original query: "${query.replaceAll('"', "'")}"`;
}

function seconds(ms: number): number {
  return ms / 1000;
}
