import { readFileSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { ModelError } from '../model-error.ts';
import { type ScriptedModel, type ScriptedReply, scriptedModel } from './scripted-model.ts';

/**
 * The model behind `scripted:FILE`: a JSON array of replies, each a text or `{ text, reasoning?, usage?, finishReason?,
 * latencyMs? }`, one per call.
 *
 * @throws ModelError when the file cannot be read as that
 */
export function scriptFileModel(file: string): ScriptedModel {
  let replies: unknown;
  try {
    replies = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw scriptError(file, messageOf(error), error);
  }
  if (!Array.isArray(replies) || !replies.every(isReply)) {
    throw scriptError(file, 'it must be a JSON array of texts or of objects with a text');
  }
  return scriptedModel(replies, { modelId: file });
}

function isReply(value: unknown): value is ScriptedReply {
  return typeof value === 'string' || typeof (value as { text?: unknown } | null)?.text === 'string';
}

function scriptError(file: string, why: string, cause?: unknown): ModelError {
  return new ModelError({ fault: 'model', message: `The script ${file} cannot be used: ${why}.`, cause });
}
