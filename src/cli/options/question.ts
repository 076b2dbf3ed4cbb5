import { existsSync } from 'node:fs';
import { RlmError } from '../../errors.ts';

/** Options that take every argument that follows them, the question too where it comes last. */
interface GreedyOptions {
  readonly file?: readonly string[];
  readonly subModel?: readonly string[];
  readonly exclude?: readonly string[];
}

/**
 * The question and the options, whichever came first. Without a question, the last value of `-f`, `--sub-model` or
 * `--exclude` is the question if it contains a blank and is not a file.
 *
 * @throws RlmError `invalid-option` when there is no question
 */
export function takeQuestion<T extends GreedyOptions>(
  question: string | undefined,
  options: T,
): { readonly question: string; readonly options: T } {
  if (question !== undefined) return { question, options };
  for (const name of ['file', 'subModel', 'exclude'] as const) {
    const values = options[name] ?? [];
    const last = values.at(-1);
    if (last === undefined || !isQuestion(last)) continue;
    const rest = values.slice(0, -1);
    const { [name]: _, ...others } = options;
    return { question: last, options: (rest.length === 0 ? others : { ...options, [name]: rest }) as T };
  }
  throw new RlmError({
    code: 'invalid-option',
    message:
      'The question is missing: fathom ask "question" -f FILE. Behind -f it needs a blank in it, so that it is not taken for a path.',
    userAction: true,
  });
}

function isQuestion(text: string): boolean {
  return /\s/.test(text.trim()) && !existsSync(text);
}
