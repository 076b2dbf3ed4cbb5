import type { Tool } from 'ai';
import { doorAnswer, withAnswerBound } from '../door/answer.ts';
import { checkMaxTokens } from '../door/parameters.ts';
import { readableFolders } from '../door/paths.ts';
import type { CompletionResult } from '../engine/result.ts';
import type { RunEvent } from '../event/event.ts';
import { TOOL_ANSWER_TOKENS } from '../limits.ts';
import { checkOptionNames, type OptionNames } from '../option-names.ts';
import type { Rlm } from '../rlm.ts';
import type { CompletionRequest } from '../run/run-handle.ts';
import { abortError } from './api-error.ts';
import { checkRoots, inputSchema, type RlmToolInput, toolContext, toolDescription } from './tool-input.ts';

/** Options of {@link rlmTool}. All but the first three are fields of each completion's request. */
export interface RlmToolOptions
  extends Pick<
    CompletionRequest,
    'instructions' | 'limits' | 'tools' | 'model' | 'subModel' | 'modelSettings' | 'mode' | 'repl'
  > {
  /** For the agent's model. Default: a text that says what the tool is for, and what it takes. */
  readonly description?: string;
  /**
   * Folders below which the agent may name files, by paths that are relative to the first or absolute. Version control, files
   * that usually hold secrets, and links that lead out are refused. Default: none, and the tool takes no paths.
   */
  readonly roots?: readonly string[];
  /** Estimated tokens of an answer; the rest of a longer one is cut off, with a note. Default 8 192. */
  readonly maxAnswerTokens?: number;
}

const OPTION_NAMES: OptionNames<RlmToolOptions> = {
  ...{ description: true, roots: true, maxAnswerTokens: true, instructions: true },
  ...{ limits: true, tools: true, model: true, subModel: true, modelSettings: true, mode: true, repl: true },
};

/** A preliminary result: where the run is. */
export interface RlmToolProgress {
  readonly state: 'running';
  readonly runId: string;
  /** From 1; 0 until the REPL is open. */
  readonly turn: number;
  /** The limit. */
  readonly maxTurns: number;
  /** A few words, e.g. `running code`. */
  readonly status: string;
}

/** The result of a call. The agent's model gets only the answer, with a note where it is cut off or a limit ended the run. */
export interface RlmToolAnswer
  extends Pick<CompletionResult, 'runId' | 'outcome' | 'stop' | 'turns' | 'subCalls' | 'elapsedMs' | 'isolation'> {
  readonly state: 'answered';
  readonly answer: string;
  /** Characters of the whole answer, where `answer` is only its beginning. */
  readonly answerChars?: number;
  /** The limit that ended the run. */
  readonly reason?: string;
  /** US dollars of the whole run; `null` when a price is unknown. */
  readonly costUsd: number | null;
}

/** A result of the tool; all but the last are preliminary. */
export type RlmToolOutput = RlmToolProgress | RlmToolAnswer;

/**
 * An `Rlm` as a tool of another agent: a question with paths or a text in, an answer out, progress as preliminary results. The
 * agent's own window holds only question and answer.
 *
 * A call that fails throws Fathom's error, which `ai` shows to the agent's model as the result of the call; the abort signal
 * of the agent cancels the run.
 *
 * @example
 * ```ts
 * const agent = new ToolLoopAgent({ model: 'openai/gpt-5', tools: { ask_files: rlmTool(rlm, { roots: ['docs'] }) } });
 * ```
 * @throws RlmError `invalid-option` for options that cannot be right
 */
export function rlmTool(rlm: Pick<Rlm, 'completion'>, options: RlmToolOptions = {}): Tool<RlmToolInput, RlmToolOutput> {
  checkOptionNames('rlmTool', options, OPTION_NAMES);
  const { roots, maxAnswerTokens = TOOL_ANSWER_TOKENS, description, instructions, ...completion } = options;
  checkRoots(roots);
  checkMaxTokens('maxAnswerTokens', maxAnswerTokens);
  const bounded = withAnswerBound(instructions, maxAnswerTokens) ?? '';
  return {
    description: description ?? toolDescription(roots),
    inputSchema: inputSchema(roots),
    async *execute(input, { abortSignal }) {
      const context = toolContext(input, roots && (await readableFolders({ folders: roots })));
      const run = rlm.completion({
        ...completion,
        query: input.question,
        ...(context !== undefined && { context }),
        instructions: bounded,
        ...(abortSignal !== undefined && { signal: abortSignal }),
      });
      try {
        for await (const event of run) {
          const progress = event.runId === run.id ? progressOf(event) : undefined;
          if (progress !== undefined) yield progress;
        }
        yield answerOf(await run, maxAnswerTokens);
      } catch (error) {
        throw abortSignal?.aborted === true ? abortError(abortSignal, error) : error;
      } finally {
        // The reader of the results has left. After the end this has no effect.
        run.cancel('the call of the tool was dropped');
      }
    },
    toModelOutput: ({ output }) => ({ type: 'text', value: textFor(output) }),
  };
}

function progressOf(event: RunEvent): RlmToolProgress | undefined {
  const { runId } = event;
  if (event.type === 'run.progress') {
    const { turn, maxTurns, status } = event;
    return { state: 'running', runId, turn, maxTurns, status };
  }
  if (event.type !== 'run.queued') return undefined;
  return { state: 'running', runId, turn: 0, maxTurns: 0, status: `waiting for a REPL, place ${event.position}` };
}

function answerOf(result: CompletionResult<unknown>, maxAnswerTokens: number): RlmToolAnswer {
  const { runId, outcome, stop, turns, subCalls, elapsedMs, isolation, text, usage } = result;
  const answer = doorAnswer(result, maxAnswerTokens).text;
  return {
    ...{ state: 'answered', answer, runId, outcome, stop, turns, subCalls, elapsedMs, isolation },
    costUsd: usage.costUsd,
    ...(answer.length < text.length && { answerChars: text.length }),
    ...(result.outcome === 'exhausted' && { reason: result.reason }),
  };
}

/** The words that the agent's model reads. */
function textFor(output: RlmToolOutput): string {
  if (output.state === 'running') return `[No answer yet: turn ${output.turn}, ${output.status}.]`;
  const { answer, answerChars, reason } = output;
  const notes = [
    ...(answerChars === undefined
      ? []
      : [`The answer has ${answerChars} characters; these are the first ${answer.length}. Ask for less at once.`]),
    ...(reason === undefined ? [] : [`The run ended at a limit, and this is its best answer: ${reason}`]),
  ];
  return [answer === '' ? '[There is no answer.]' : answer, ...notes.map((note) => `[${note}]`)].join('\n\n');
}
