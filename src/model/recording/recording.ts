import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../../errors.ts';
import { ModelError, type ModelFault } from '../model-error.ts';
import type { CallUsage, ChatMessage, FinishReason, ModelReply } from '../port.ts';

/** A recorded answer: a whole reply, or a failure that would be the same every time. */
export type RecordedAnswer =
  | {
      readonly text: string;
      readonly reasoning?: string;
      readonly finishReason: FinishReason;
      readonly usage: CallUsage;
    }
  | { readonly error: { readonly fault: ModelFault; readonly message: string } };

/** One line of a recording. Holds no headers and no keys; of the request, its hash and how its last message begins. */
export interface RecordedCall {
  /** The model that answered. */
  readonly model: string;
  /** Of the messages: see {@link hashRequest}. */
  readonly hash: string;
  /** 0 for the first call with this hash, 1 for the next. */
  readonly ordinal: number;
  /** For people. */
  readonly ask: string;
  readonly answer: RecordedAnswer;
}

const ASK_CHARS = 120;

/** Durations in the message to a model after its reply: how long a cell took, how much time is left. */
const DURATION = /\b\d+(?:\.\d+)? s\b/g;

/**
 * SHA-256 over roles and contents, hexadecimal. The limit on the answer's length does not count, nor do durations in
 * user messages that follow a reply: the engine's feedback names them, and no two runs take the same time.
 */
export function hashRequest(messages: readonly ChatMessage[]): string {
  const hash = createHash('sha256');
  let replied = false;
  for (const { role, content } of messages) {
    const counted = replied && role === 'user' ? content.replace(DURATION, '# s') : content;
    hash.update(`${role}\n${counted.length}\n${counted}\n`);
    replied ||= role === 'assistant';
  }
  return hash.digest('hex').slice(0, 32);
}

/** How the last message begins, on one line. */
export function askOf(messages: readonly ChatMessage[]): string {
  return (messages.at(-1)?.content ?? '').slice(0, ASK_CHARS).replace(/\s+/g, ' ');
}

/** Reads a JSONL recording. @throws ModelError naming the file and line that cannot be read */
export function readRecording(file: string): RecordedCall[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw recordingError(`The recording ${file} cannot be read: ${messageOf(error)}.`, error);
  }
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseLine(line, file, index + 1)]));
}

function parseLine(line: string, file: string, number: number): RecordedCall {
  try {
    const call = JSON.parse(line) as Partial<RecordedCall>;
    if (typeof call.hash === 'string' && typeof call.answer === 'object' && call.answer !== null) {
      return { model: '', ordinal: 0, ask: '', ...call } as RecordedCall;
    }
  } catch {}
  throw recordingError(`Line ${number} of the recording ${file} is not a recorded call.`);
}

/** Answers requests from recorded calls: the k-th equal request gets the k-th recorded answer. */
export interface Player {
  /** @throws ModelError when the request is not in the recording */
  answer(messages: readonly ChatMessage[]): RecordedAnswer;
}

/** @param source what to call the recording in errors */
export function createPlayer(calls: readonly RecordedCall[], source: string): Player {
  const byHash = new Map<string, Map<number, RecordedAnswer>>();
  for (const call of calls) {
    const answers = byHash.get(call.hash) ?? new Map<number, RecordedAnswer>();
    byHash.set(call.hash, answers.set(call.ordinal, call.answer));
  }
  const asked = new Map<string, number>();
  return {
    answer(messages) {
      const hash = hashRequest(messages);
      const ordinal = asked.get(hash) ?? 0;
      asked.set(hash, ordinal + 1);
      const answers = byHash.get(hash);
      const answer = answers?.get(ordinal);
      if (answer !== undefined) return answer;
      const why =
        answers === undefined
          ? `none of its ${byHash.size} requests is this one`
          : `it answers this request ${answers.size} times, and this is the ${ordinal + 1}th`;
      throw recordingError(
        `${source} has no answer for the request '${askOf(messages)}' (${hash}): ${why}. Something before this call went differently than in the recorded run.`,
      );
    },
  };
}

/** The reply of an answer. @throws ModelError the recorded failure */
export function replyOf(answer: RecordedAnswer): ModelReply {
  if (!('error' in answer)) return answer;
  throw new ModelError({ fault: answer.error.fault, message: answer.error.message });
}

function recordingError(message: string, cause?: unknown): ModelError {
  return new ModelError({ fault: 'recording', message, cause });
}
