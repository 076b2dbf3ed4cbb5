import type { Session } from '../../session/session.ts';
import { closestTo } from '../../similar.ts';
import { EXIT } from '../exit-codes.ts';
import type { Console } from '../screen/console.ts';
import { compact, counted } from '../screen/figures.ts';
import { columnsOf, table } from '../screen/layout.ts';
import { showCell } from '../session/run-code.ts';
import type { WatchInterrupts } from '../watch/show-run.ts';

/** A line of a chat. */
export type ChatLine =
  | { readonly kind: 'empty' }
  | { readonly kind: 'question'; readonly text: string }
  | { readonly kind: 'command'; readonly name: string; readonly argument: string };

/** Reads a line. Only a word behind the slash makes it a command: a question may begin with a path. */
export function readLine(line: string): ChatLine {
  const text = line.trim();
  if (text === '') return { kind: 'empty' };
  const [, name, argument = ''] = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i.exec(text) ?? [];
  return name === undefined ? { kind: 'question', text } : { kind: 'command', name: name.toLowerCase(), argument };
}

/** Where a command works. */
export interface OnChat {
  readonly session: Session;
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
  readonly note: (line: string) => void;
  /** The lines of a cell that follow, up to an empty one. */
  readonly readBlock: () => Promise<string>;
}

interface SlashCommand {
  /** As `/help` shows it. */
  readonly usage: string;
  readonly help: string;
  /** Resolves with an exit code; undefined ends the chat. */
  readonly run: (on: OnChat, argument: string) => Promise<number | undefined>;
}

/** The commands of a chat, as `/help` lists them. */
export const SLASH_COMMANDS: Readonly<Record<string, SlashCommand>> = {
  run: { usage: '/run CODE', help: 'run Python; alone it takes lines up to an empty one', run: runCell },
  vars: { usage: '/vars', help: 'list the variables', run: showVariables },
  snapshot: { usage: '/snapshot [NAME]', help: 'keep variables and files under a name; alone: list', run: snapshot },
  rollback: { usage: '/rollback NAME', help: 'go back to a snapshot', run: rollback },
  help: { usage: '/help', help: 'show this', run: help },
  quit: { usage: '/quit', help: 'leave; also Ctrl-D. The session stays and can be continued', run: quit },
};

/** Does a command. Resolves with an exit code; undefined ends the chat. */
export async function runCommand(on: OnChat, name: string, argument: string): Promise<number | undefined> {
  const command = Object.hasOwn(SLASH_COMMANDS, name) ? SLASH_COMMANDS[name] : undefined;
  if (command !== undefined) return await command.run(on, argument);
  const near = closestTo(name, Object.keys(SLASH_COMMANDS));
  on.note(`There is no command /${name}${near === undefined ? '.' : `: did you mean /${near}?`} /help lists them.`);
  return EXIT.usage;
}

/** The commands that a line can become, for Tab. */
export function completions(line: string): readonly string[] {
  return line.startsWith('/')
    ? Object.keys(SLASH_COMMANDS)
        .map((name) => `/${name}`)
        .filter((name) => name.startsWith(line))
    : [];
}

async function runCell({ session, console, interrupts, note, readBlock }: OnChat, argument: string): Promise<number> {
  const code = argument === '' ? await readBlock() : argument;
  if (code.trim() === '') return EXIT.answered;
  const stop = interrupts(note);
  try {
    const result = await session.execute(code, { signal: stop.signal });
    showCell(result, console);
    return result.ok ? EXIT.answered : EXIT.failed;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    note('fathom: stopped.');
    return EXIT.interrupted;
  } finally {
    stop.dispose();
  }
}

async function showVariables({ session, console: { stdout }, note }: OnChat): Promise<number> {
  const variables = await session.variables();
  if (variables.length === 0) note('There are no variables yet.');
  const rows = variables.map(({ name, type, size, preview }) => [
    name,
    `${type}${size === undefined ? '' : ` [${compact(size)}]`}`,
    preview ?? '',
  ]);
  for (const line of table(rows, columnsOf(stdout))) stdout.write(`${line}\n`);
  return EXIT.answered;
}

async function snapshot({ session, console: { stdout }, note }: OnChat, name: string): Promise<number> {
  if (name !== '') {
    await session.snapshot(name);
    note(`${name} taken: /rollback ${name} goes back to it.`);
    return EXIT.answered;
  }
  const snapshots = await session.snapshots();
  for (const one of snapshots) stdout.write(`${one.name}\n`);
  if (snapshots.length === 0) note('There are no snapshots: /snapshot NAME takes one.');
  return EXIT.answered;
}

async function rollback({ session, note }: OnChat, name: string): Promise<number> {
  if (name === '') {
    const names = (await session.snapshots()).map((one) => one.name);
    note(
      `/rollback NAME: there ${names.length === 1 ? 'is' : 'are'} ${counted(names.length, 'snapshot')}${
        names.length === 0 ? '' : `, ${names.join(', ')}`
      }.`,
    );
    return EXIT.usage;
  }
  await session.rollback(name);
  note(`${name} restored: variables and files are as they were.`);
  return EXIT.answered;
}

async function help({ note }: OnChat): Promise<number> {
  const wide = Math.max(...Object.values(SLASH_COMMANDS).map(({ usage }) => usage.length));
  for (const one of Object.values(SLASH_COMMANDS)) note(`  ${one.usage.padEnd(wide)}  ${one.help}`);
  note('Any other line is a question. Ctrl-C stops what runs; twice leaves.');
  return EXIT.answered;
}

async function quit(): Promise<undefined> {
  return undefined;
}
