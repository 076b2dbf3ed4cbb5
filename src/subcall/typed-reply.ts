import type { SubCallReply } from '../repl/port.ts';
import type { ReadAnswer } from './context.ts';

/**
 * A flat call's reply as the typed answer it was asked for. One that does not fit is told as a child's is that never came
 * to one: not ok, and its text kept.
 */
export async function typedReply(reply: SubCallReply, read: ReadAnswer): Promise<SubCallReply> {
  const asSaid = await read(reply.text);
  if (asSaid.ok) return { ...reply, valueJson: JSON.stringify(asSaid.value) };
  const inner = fenced(reply.text);
  const inFence = inner === undefined ? asSaid : await read(inner);
  if (inner !== undefined && inFence.ok) return { ...reply, text: inner, valueJson: JSON.stringify(inFence.value) };
  const errors = inFence.ok ? [] : inFence.errors;
  const message = `the answer does not fit the schema: ${errors.join('; ')}`;
  return { ...reply, ok: false, error: { code: 'exhausted', message } };
}

/** The first fenced block of a reply: models put JSON into one, whatever they are told. */
function fenced(text: string): string | undefined {
  const opening = /^```(?:json)?[ \t]*\r?\n/m.exec(text);
  if (opening === null) return undefined;
  const start = opening.index + opening[0].length;
  const end = text.indexOf('\n```', start);
  return end < 0 ? undefined : text.slice(start, end);
}
