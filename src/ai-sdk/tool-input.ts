import type { StandardSchemaV1 } from '@standard-schema/spec';
import { invalidOption, kindOf } from '../argument-checks.ts';
import { type ContextInput, contexts } from '../context/index.ts';
import { type ReadableFolders, readablePaths } from '../door/paths.ts';
import { validatingSchema } from '../schema/json-schema-answer.ts';

/** The arguments of a call of `rlmTool`. */
export interface RlmToolInput {
  readonly question: string;
  /** Files, folders and patterns below the roots. */
  readonly paths?: readonly string[];
  readonly text?: string;
}

/** @throws RlmError `invalid-option` for roots that are not a list of folders */
export function checkRoots(roots: unknown): void {
  if (roots === undefined) return;
  const fit =
    Array.isArray(roots) && roots.length > 0 && roots.every((root) => typeof root === 'string' && root !== '');
  if (!fit) throw invalidOption(`roots must be a list of at least one folder; this is ${kindOf(roots)}`);
}

/** For a model that has never heard of RLMs. */
export function toolDescription(roots: readonly string[] | undefined): string {
  const source = roots === undefined ? 'a text' : 'files, folders or a text';
  return [
    `Answers a question about ${source} of any size, also far larger than your own context window.`,
    'It reads all of it with code and further model calls, and returns only the answer.',
    'Use it in place of reading long material yourself. It knows nothing of this conversation: put everything it needs into the question.',
    'It takes from seconds to minutes; ask one complete question instead of many small ones.',
  ].join(' ');
}

/** The input schema; without roots a call has no paths. */
export function inputSchema(roots: readonly string[] | undefined): StandardSchemaV1<unknown, RlmToolInput> {
  const text = { type: 'string', description: 'The text to answer from, where it is not in a file.' };
  const paths = {
    type: 'array',
    items: { type: 'string' },
    description: `Files, folders or glob patterns to answer from. Relative ones start at ${roots?.[0]}.`,
  };
  return validatingSchema<RlmToolInput>(
    {
      type: 'object',
      properties: {
        question: { type: 'string', minLength: 1, description: 'One complete question, with the form of the answer.' },
        ...(roots !== undefined && { paths }),
        text,
      },
      required: ['question'],
      additionalProperties: false,
    },
    'input of rlmTool',
  );
}

/** Paths and text as a context; undefined without either. */
export function toolContext(
  { paths = [], text }: RlmToolInput,
  folders: ReadableFolders | undefined,
): ContextInput | undefined {
  if (paths.length === 0) return text;
  if (folders === undefined) throw invalidOption('This tool takes no paths: give rlmTool the folders in `roots`');
  const files = readablePaths(paths, folders);
  return text === undefined ? files : contexts({ files, text });
}
