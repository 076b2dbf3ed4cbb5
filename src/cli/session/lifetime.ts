import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import {
  closeStored,
  extendStored,
  type StoredSession,
  sessionRecord,
  storedSession,
} from '../../session/stored-session.ts';
import { sweepInput } from '../context/spooled-input.ts';
import { EXIT } from '../exit-codes.ts';
import { sessionIdOf } from '../options/ids.ts';
import { DEFAULT_STORE, openToLook, openToWrite, type StoreOptions } from '../options/store.ts';
import type { Console } from '../screen/console.ts';
import { compact, counted, money } from '../screen/figures.ts';
import { columnsOf, localTime, shortTime, table } from '../screen/layout.ts';
import { onOneLine, writeJson } from '../screen/terminal-text.ts';
import { divergenceLines } from './with-session.ts';

/** The options of commands that need no REPL. */
export interface LifetimeOptions extends StoreOptions {
  readonly json?: true;
}

/** Lists sessions, newest first. Resolves with the exit code. */
export async function listSessions(
  options: LifetimeOptions & { readonly all?: true },
  { stdout, stderr }: Console,
): Promise<number> {
  const sessions = (await sessionsIn(options)).filter(({ state }) => options.all === true || !isOver(state));
  if (options.json === true) writeJson(stdout, sessions.map(storedJson));
  else if (sessions.length === 0) stderr.write('There are no open sessions; --all lists those that have ended.\n');
  else stdout.write(`${table([HEAD, ...sessions.map(rowOf)], columnsOf(stdout)).join('\n')}\n`);
  return EXIT.answered;
}

async function sessionsIn({ store: folder }: LifetimeOptions): Promise<readonly StoredSession[]> {
  if (folder === DEFAULT_STORE && !existsSync(join(DEFAULT_STORE, 'store.sqlite'))) return [];
  await using keeping = openToLook(folder);
  const records = await keeping.store.sessions.list();
  return records.map((record) => storedSession(record, systemClock.now()));
}

const HEAD = ['SESSION', 'STATE', 'EXPIRES', 'COMMANDS', 'SNAPSHOTS', 'COST', 'VARIABLES'] as const;

function rowOf({ id, state, expiresAt, last }: StoredSession): readonly string[] {
  return [
    id,
    state,
    shortTime(expiresAt),
    String(last?.commands.length ?? 0),
    String(last?.snapshots.length ?? 0),
    last === undefined || last.usage.costUsd === null ? '?' : money(last.usage.costUsd),
    last?.variables.map(({ name }) => name).join(', ') ?? '',
  ];
}

function isOver(state: StoredSession['state']): boolean {
  return state === 'expired' || state === 'terminated';
}

/** Shows the state of a session, also while another process has it open. Resolves with the exit code. */
export async function showStatus(id: string, options: LifetimeOptions, { stdout }: Console): Promise<number> {
  await using keeping = openToLook(options.store);
  const stored = storedSession(
    await sessionRecord(await sessionIdOf(id, keeping.store), keeping.store),
    systemClock.now(),
  );
  if (options.json === true) writeJson(stdout, storedJson(stored));
  else stdout.write(`${statusLines(stored, columnsOf(stdout)).join('\n')}\n`);
  return EXIT.answered;
}

function statusLines(stored: StoredSession, width: number): readonly string[] {
  const { last } = stored;
  const line = (name: string, text: string): string => `${name.padEnd(11)}${onOneLine(text, width - 11)}`;
  const usage = last?.usage;
  return [
    `${stored.id}  ${stored.state}`,
    line('created', localTime(stored.createdAt)),
    line('expires', `${localTime(stored.expiresAt)}, extended ${stored.extensions} of ${stored.maxExtensions} times`),
    line('model', stored.models.rootModel),
    line('REPL', `${stored.backend}, isolation ${stored.isolation}`),
    ...(usage === undefined
      ? []
      : [
          line(
            'used',
            `${counted(usage.calls, 'call')} · ${compact(usage.inputTokens)} tokens in, ${compact(usage.outputTokens)} out · ${money(usage.costUsd)}`,
          ),
        ]),
    line('commands', String(last?.commands.length ?? 0)),
    line('snapshots', last?.snapshots.map(({ name }) => name).join(', ') || '-'),
    ...divergenceLines(last?.diverged).map((text, index) => line(index === 0 ? 'differs' : '', text)),
    ...(last?.variables ?? []).map(({ name, type, size, preview }, index) =>
      line(
        index === 0 ? 'variables' : '',
        `${name}: ${type}${size === undefined ? '' : ` [${compact(size)}]`}${preview === undefined ? '' : ` ${preview}`}`,
      ),
    ),
  ];
}

/** Adds to a session's time. Resolves with the exit code. */
export async function extend(id: string, options: LifetimeOptions, console: Console): Promise<number> {
  await using keeping = openToWrite(options.store);
  const record = await extendStored(await sessionIdOf(id, keeping.store), { store: keeping.store, clock: systemClock });
  const stored = storedSession(record, systemClock.now());
  const left = counted(stored.maxExtensions - stored.extensions, 'extension');
  return reportChange(stored, options, console, `Open until ${localTime(stored.expiresAt)}; ${left} left.`);
}

/** Ends a session for good. Resolves with the exit code. */
export async function close(given: string, options: LifetimeOptions, console: Console): Promise<number> {
  await using keeping = openToWrite(options.store);
  const { store } = keeping;
  const id = await sessionIdOf(given, store);
  const record = await closeStored(id, { store, clock: systemClock });
  await sweepInput(store);
  const how = record.state === 'expired' ? 'had expired' : 'is closed';
  return reportChange(storedSession(record, systemClock.now()), options, console, `Session ${id} ${how}.`);
}

function reportChange(
  stored: StoredSession,
  { json }: LifetimeOptions,
  { stdout, stderr }: Console,
  words: string,
): number {
  if (json === true) writeJson(stdout, storedJson(stored));
  else stderr.write(`${words}\n`);
  return EXIT.answered;
}

/** The object that `--json` prints for a stored session: its status at the end of the last command. */
function storedJson(stored: StoredSession): Readonly<Record<string, unknown>> {
  const { id, state, createdAt, updatedAt, expiresAt, extensions, maxExtensions, backend, isolation, models } = stored;
  return {
    id,
    state,
    createdAt,
    updatedAt,
    expiresAt,
    extensions,
    maxExtensions,
    backend,
    isolation,
    model: models.rootModel,
    subModels: models.subModels,
    ...stored.last,
  };
}
