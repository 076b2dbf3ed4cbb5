import { isObject } from '../../argument-checks.ts';
import { type ContextInput, contexts } from '../../context/index.ts';
import { attachedFiles, fileNames } from '../../door/attachments.ts';
import { type ReadableFolders, readablePaths } from '../../door/paths.ts';
import type { CompletionRequest } from '../../run/run-handle.ts';
import { answerSchema } from '../ask.ts';
import type { JsonBody } from '../body.ts';
import { optional } from '../check-body.ts';
import { inField, invalidField } from '../wire-messages.ts';

type Piece = Exclude<ContextInput, ReturnType<typeof contexts>>;

/** The context that a body of Fathom's own API describes; several pieces have names. @throws RlmError `invalid-option`, `context-invalid` */
export function contextOf(body: JsonBody, folders: ReadableFolders | undefined): Pick<CompletionRequest, 'context'> {
  const pieces: Record<string, Piece> = {};
  if (body.context !== undefined) pieces.text = body.context as Piece;
  const files = inField('files', () => filesOf(body.files));
  if (files !== undefined) pieces.files = files;
  const paths = optional<readonly string[]>(body.paths);
  if (paths !== undefined) {
    if (folders === undefined) {
      throw invalidField('paths', 'this server reads no files: start it with --root DIR, or send their texts as files');
    }
    pieces.paths = readablePaths(paths, folders);
  }
  const [only, ...more] = Object.values(pieces);
  if (only === undefined) return {};
  return { context: more.length === 0 ? only : contexts(pieces) };
}

function filesOf(files: unknown): ReturnType<typeof attachedFiles> {
  if (!Array.isArray(files)) return undefined;
  const named = fileNames();
  const parts = files
    .filter(isObject)
    .map(({ name, text }) => named({ type: 'file', name: String(name), mediaType: 'text/plain', data: String(text) }));
  return attachedFiles(parts);
}

/** The request of a run, from a checked body. @throws RlmError `invalid-option`, `context-invalid` */
export function questionOf(body: JsonBody, folders: ReadableFolders | undefined): CompletionRequest<unknown> {
  const schema = optional<JsonBody>(body.schema);
  const instructions = optional<string>(body.instructions);
  return {
    query: body.query as string,
    ...contextOf(body, folders),
    ...(schema !== undefined && { output: answerSchema(schema, 'schema') }),
    ...(instructions !== undefined && { instructions }),
  };
}
