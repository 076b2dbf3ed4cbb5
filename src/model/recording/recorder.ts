import { chmodSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { defined } from '../../defined.ts';
import { messageOf } from '../../errors.ts';
import { ModelError } from '../model-error.ts';
import type { Model, ModelReply, ModelRequest } from '../port.ts';
import { askOf, hashRequest, type RecordedAnswer, type RecordedCall } from './recording.ts';

/**
 * The model, with every whole reply and every failure that is not an accident written to `file` as it comes, one line
 * each. The first call in a process starts a new file; models of the same run share it.
 */
export function recordingModel(model: Model, file: string): Model {
  const record = (request: ModelRequest, answer: RecordedAnswer): void => {
    openRecording(file).write({
      model: model.id,
      hash: hashRequest(request.messages),
      ask: askOf(request.messages),
      answer,
    });
  };
  const recording: Pick<Model, 'attempt'> = {
    async attempt(request) {
      try {
        const reply = await model.attempt(request);
        record(request, toAnswer(reply));
        return reply;
      } catch (error) {
        if (ModelError.isInstance(error) && isAnswer(error)) {
          record(request, { error: { fault: error.fault, message: error.message } });
        }
        throw error;
      }
    },
  };
  // By prototype: what the model learns about its endpoint while it is used stays visible.
  return Object.assign(Object.create(model) as Model, recording);
}

function toAnswer({ text, reasoning, toolCalls, finishReason, usage }: ModelReply): RecordedAnswer {
  return {
    text,
    ...defined({ reasoning, toolCalls }),
    finishReason,
    usage,
  };
}

/** Failures that are the provider's considered answer to this request. */
function isAnswer({ fault }: ModelError): boolean {
  return fault === 'refused' || fault === 'context-length' || fault === 'bad-request';
}

interface RecordingFile {
  write(call: Omit<RecordedCall, 'ordinal'>): void;
}

const files = new Map<string, RecordingFile>();

function openRecording(file: string): RecordingFile {
  const path = resolve(file);
  const known = files.get(path);
  if (known !== undefined) return known;
  const descriptor = create(path);
  const counts = new Map<string, number>();
  const recording: RecordingFile = {
    write(call) {
      const ordinal = counts.get(call.hash) ?? 0;
      counts.set(call.hash, ordinal + 1);
      writeSync(descriptor, `${JSON.stringify({ ...call, ordinal })}\n`);
    },
  };
  files.set(path, recording);
  return recording;
}

/** Readable by its owner only: replies may quote what was asked. */
function create(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const descriptor = openSync(path, 'w', 0o600);
    chmodSync(path, 0o600);
    return descriptor;
  } catch (error) {
    const message = `The recording ${path} cannot be written: ${messageOf(error)}`;
    throw new ModelError({ fault: 'recording', message, cause: error });
  }
}
