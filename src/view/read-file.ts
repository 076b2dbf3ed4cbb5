import { basename } from 'node:path';
import { invalidOption, isObject } from '../argument-checks.ts';
import { messageOf } from '../errors.ts';
import type { RunEvent } from '../event/event.ts';
import { openRegular } from '../regular-file.ts';
import { referenceDocument } from './reference-document.ts';
import type { RunDocument } from './run-document.ts';
import { traceDocument } from './trace-document.ts';

/** Bytes of a file that is opened: one that is larger does not fit into a page. */
const FILE_BYTES = 512 * 1024 * 1024;

/**
 * Reads a run from a file: a log of the reference implementation, or a trace of Fathom.
 *
 * @throws RlmError `invalid-option` for a file that cannot be read or holds neither
 */
export async function readRunFile(path: string): Promise<RunDocument> {
  const name = basename(path);
  const lines = linesOf(await textOf(path), name);
  const isTrace = lines.some((line) => line.v === 1 && typeof line.runId === 'string' && typeof line.type === 'string');
  return isTrace ? traceDocument(lines as unknown as readonly RunEvent[], name) : referenceDocument(lines, name);
}

async function textOf(path: string): Promise<string> {
  try {
    await using file = await openRegular({ path });
    const { size } = await file.stat();
    if (size > FILE_BYTES) throw new Error(`it has ${size} bytes, and at most ${FILE_BYTES} are read`);
    return await file.readFile('utf8');
  } catch (error) {
    throw invalidOption(`The file ${path} cannot be read: ${messageOf(error)}`);
  }
}

function linesOf(text: string, name: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      const value = parsed(line);
      if (!isObject(value)) throw invalidOption(`Line ${index + 1} of ${name} is not a JSON object`);
      return value;
    });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // The caller names the line.
  }
}
