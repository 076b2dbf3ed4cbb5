import { defined } from '../../defined.ts';
import { messageOf, RlmError } from '../../errors.ts';
import type { JsonValue, SubCallReply } from '../port.ts';

/**
 * Entries of reply frames. They are written as text: a reply costs a cell its wait, and making objects of it costs more.
 *
 * @module
 */

/** A sub-call's result as the guest gets it: its entry in a reply frame, and the texts beside it. */
export function callEntry(id: number, result: SubCallReply): [string, readonly Buffer[]] {
  const { usage } = result;
  const parts = [Buffer.from(result.text, 'utf8')];
  if (result.valueJson !== undefined) parts.push(Buffer.from(result.valueJson, 'utf8'));
  const reasoning = result.reasoning === undefined ? '' : ',"reasoning":true';
  if (result.reasoning !== undefined) parts.push(Buffer.from(result.reasoning, 'utf8'));
  const spent = `[${number(usage.inputTokens)},${number(usage.outputTokens)},${usage.costUsd === null ? 'null' : number(usage.costUsd)}]`;
  const error = result.error === undefined ? '' : `,"error":${JSON.stringify(result.error)}`;
  const truncated = result.truncated ? ',"truncated":true' : '';
  return [
    `{"id":${id},"ok":${result.ok},"parts":${parts.length},"usage":${spent}${truncated}${reasoning}${error}}`,
    parts,
  ];
}

function number(value: number): string {
  return Number.isFinite(value) ? String(value) : '0';
}

/** The entry of a request that failed. */
export function failedEntry(id: number, error: Readonly<Record<string, unknown>>): string {
  return `{"id":${id},"ok":false,"error":${JSON.stringify(error)}}`;
}

/** An error of the host as the guest gets it: code or class, and the message; never a stack. */
export function errorFields(error: unknown): Record<string, unknown> {
  const message = messageOf(error).slice(0, 20_000);
  if (RlmError.isInstance(error)) {
    const left = error.data.left;
    return { type: 'HostError', code: error.code, message, ...defined({ left }) };
  }
  return { type: error instanceof Error ? error.name : 'ToolError', message };
}

/** A value as JSON text. */
export function jsonOf(value: JsonValue): string {
  return JSON.stringify(value) ?? 'null';
}
