import PostalMime, { type Address, type Email } from 'postal-mime';
import { htmlText } from './html-text.ts';
import type { Input } from './input.ts';
import type { Output } from './output.ts';

/** One message: headers and body as text, attachments as members. */
export async function convertMail(input: Input, output: Output): Promise<void> {
  const email = await PostalMime.parse(input.whole());
  output.title = email.subject;
  output.facts(factsOf(email));
  output.text(textOf(email));
  writeAttachments(email, '', output);
}

/** Messages as members, numbered, each followed by its attachments. */
export async function convertMailbox(input: Input, output: Output): Promise<void> {
  let number = 0;
  let attachments = 0;
  let damaged = 0;
  for (const message of messagesOf(input)) {
    number += 1;
    const name = String(number).padStart(5, '0');
    const email = await PostalMime.parse(message).catch(() => undefined);
    if (email === undefined) damaged += 1;
    const facts = email === undefined ? {} : factsOf(email);
    const member = output.member({
      path: `${name}.txt`,
      title: title(email?.subject),
      meta: { kind: 'eml', ...facts },
    });
    member.write(Buffer.from(email === undefined ? message.toString('latin1') : textOf(email)));
    member.end();
    attachments += email === undefined ? 0 : writeAttachments(email, `${name}/`, output);
  }
  output.meta.messages = number;
  if (attachments > 0) output.meta.attachments = attachments;
  if (damaged > 0) output.note(`${damaged} of ${number} messages are damaged and given as they are`);
}

const MOST_TITLE = 300;

function title(subject: string | undefined): string {
  return (subject ?? '').slice(0, MOST_TITLE).toWellFormed();
}

function factsOf(email: Email): Readonly<Record<string, string>> {
  const { from, to, cc, date, messageId } = email;
  const facts = {
    from: from === undefined ? '' : addresses([from]),
    to: addresses(to ?? []),
    cc: addresses(cc ?? []),
    date: date ?? '',
    messageId: messageId ?? '',
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''));
}

function addresses(list: readonly Address[]): string {
  const flat = list.flatMap((one) => one.group ?? [one]);
  return flat.map(({ name, address }) => (name === '' ? address : `${name} <${address}>`)).join(', ');
}

function textOf(email: Email): string {
  const { from, to, cc, date } = factsOf(email);
  const heads = { From: from, To: to, Cc: cc, Date: date, Subject: email.subject };
  const lines = Object.entries(heads).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}: ${value}`],
  );
  return `${lines.join('\n')}\n\n${bodyOf(email).trim()}\n`.toWellFormed();
}

function bodyOf({ text, html }: Email): string {
  if (text !== undefined && text.trim() !== '') return text.replaceAll('\r\n', '\n');
  return html === undefined ? '' : htmlText(html).text;
}

function writeAttachments({ attachments }: Email, folder: string, output: Output): number {
  const taken = new Set<string>();
  for (const [at, { filename, mimeType, content }] of attachments.entries()) {
    const wanted = (filename ?? '').replaceAll(/[/\\\0]/g, '_').slice(0, 200) || `attachment-${at + 1}`;
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = wanted.replace(/(?=(\.[^./]*)?$)/, `-${number}`);
    taken.add(name);
    const member = output.member({ path: folder + name, meta: { mediaType: mimeType } });
    member.write(typeof content === 'string' ? Buffer.from(content) : new Uint8Array(content));
    member.end();
  }
  return attachments.length;
}

/** A line that begins a message: its sender, and a date with a time and a year. */
const BOUNDARY = /^From \S.*\d{1,2}:\d{2}.*\d{4}/;
/** A line of headers. */
const HEADER = /^[\w-]+:/;
const LINE_END = 0x0a;

/**
 * The messages of a mailbox (RFC 4155). A line `From …` begins one only behind an empty line, with a date, and before a header:
 * text that quotes such a line, unmasked, stays text.
 */
function* messagesOf(input: Input): Generator<Buffer> {
  let message: Buffer[] = [];
  let boundary: Buffer | undefined;
  let blank = true;
  for (const line of linesOf(input)) {
    if (boundary !== undefined) {
      if (HEADER.test(line.toString('latin1', 0, 100))) {
        if (message.length > 0) yield Buffer.concat(message);
        message = [];
      } else message.push(boundary);
      boundary = undefined;
    }
    if (blank && BOUNDARY.test(line.toString('latin1', 0, 200))) boundary = line;
    else message.push(unmasked(line));
    blank = line.length <= 2 && line.toString('latin1').trim() === '';
  }
  if (message.length > 0) yield Buffer.concat(message);
}

/** `>From ` of a body was `From ` before it was put into the mailbox. */
function unmasked(line: Buffer): Buffer {
  return line[0] === 0x3e && /^>+From /.test(line.toString('latin1', 0, 20)) ? line.subarray(1) : line;
}

function* linesOf(input: Input): Generator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for (const piece of input.pieces()) {
    const all = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = all.indexOf(LINE_END); end >= 0; end = all.indexOf(LINE_END, start)) {
      yield all.subarray(start, end + 1);
      start = end + 1;
    }
    rest = Buffer.from(all.subarray(start));
  }
  if (rest.length > 0) yield rest;
}
