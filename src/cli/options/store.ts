import { lstatSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { type Command, Option } from 'commander';
import { messageOf, RlmError } from '../../errors.ts';
import { memoryStore, type SqliteStoreOptions, type Store, StoreError, sqliteStore } from '../../store/index.ts';
import { postgresStore, s3Values } from '../../store/postgres/index.ts';
import { refused } from '../../store/private-files.ts';
import { onOneLine } from '../screen/terminal-text.ts';

/** Where runs and sessions are kept unless `--store` says otherwise. */
export const DEFAULT_STORE = '.fathom';

/** Longest notice. */
const NOTICE_CHARS = 300;

const KEEP_ADVICE = '--store DIR names another folder, --no-store keeps nothing.';

/** Which folder a command works on. */
export interface StoreOptions {
  readonly store: string;
}

/** The folder that keeps a run; `false` keeps nothing. */
export interface KeepOptions {
  readonly store: string | false;
}

/** Declares `--store`. */
export function addStoreOption(command: Command): Command {
  return command.addOption(storeOption('folder of runs and sessions, or URL of a Postgres server'));
}

/** Declares `--store` and `--no-store`. */
export function addKeepOptions(command: Command): Command {
  return command
    .addOption(storeOption('folder or Postgres URL the run is kept in, to be looked at and resumed'))
    .option('--no-store', 'keep nothing of the run on disk');
}

/** A URL holds a password, which a command line shows to others: the environment does not. */
function storeOption(description: string): Option {
  return new Option('--store <dir>', description).default(DEFAULT_STORE).env('FATHOM_STORE');
}

/** A store for the time of one command. */
export interface StoreHandle extends AsyncDisposable {
  readonly store: Store;
  /** The store outlives this process. */
  readonly durable: boolean;
}

/**
 * The store a run is kept in. A question is answered also where it cannot be kept: where the usual folder cannot be made
 * or read, the run lives in memory and a notice says so.
 *
 * @throws StoreError when a folder that was asked for by name cannot be used, or the usual one leads elsewhere or is not
 *   this user's own
 */
export function openToKeep({ store }: KeepOptions, note: (line: string) => void): StoreHandle {
  if (store === false) return keeping(memoryStore(), false);
  try {
    const kept = openFolder(store);
    // The answer does not depend on it any more: a failure to close is only noted.
    const close = (): Promise<void> =>
      kept.close().catch((error: unknown) => note(onOneLine(messageOf(error), NOTICE_CHARS)));
    return { store: kept, durable: true, [Symbol.asyncDispose]: close };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (isRefused(error)) throw withAdvice(error, KEEP_ADVICE);
    if (store !== DEFAULT_STORE) throw error;
    note(onOneLine(`This run is not kept and cannot be resumed. ${error.message}`, NOTICE_CHARS));
    return keeping(memoryStore(), false);
  }
}

/**
 * The store that {@link openToKeep} would open, to look at. One in memory where the run would make it, and where the run
 * would not be kept.
 *
 * @throws StoreError where `openToKeep` does
 */
export function openToPlan({ store }: KeepOptions): StoreHandle {
  if (store !== false && isUrl(store)) return keeping(sharedStore(store), true);
  const facts = store === false ? undefined : lstatSync(store, { throwIfNoEntry: false });
  if (store === false || facts === undefined) return keeping(memoryStore(), false);
  try {
    return keeping(openFolder(store, { readOnly: true }), true);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (isRefused(error)) throw withAdvice(error, KEEP_ADVICE);
    const willBeMade = error.data.missing === true && facts.isDirectory();
    if (store !== DEFAULT_STORE && !willBeMade) throw error;
    return keeping(memoryStore(), false);
  }
}

/** Opens a store to write, also while other processes use it. @throws StoreError when it cannot be used */
export function openToWrite(folder: string): StoreHandle {
  return keeping(openAdvised(folder), true);
}

/** Opens a store to read. @throws StoreError when the folder has no store */
export function openToLook(folder: string): StoreHandle {
  return keeping(openAdvised(folder, { readOnly: true }), true);
}

function openAdvised(folder: string, options?: SqliteStoreOptions): Store {
  try {
    return openFolder(folder, options);
  } catch (error) {
    throw error instanceof StoreError && isRefused(error)
      ? withAdvice(error, '--store DIR names another folder.')
      : error;
  }
}

/** A link that the user named is followed; the usual folder may have come with a project of another person. */
function openFolder(folder: string, options?: SqliteStoreOptions): Store {
  if (isUrl(folder)) return sharedStore(folder);
  if (folder === DEFAULT_STORE && lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    throw refused(folder, 'link', 'is a link, which is followed only where --store names it by another path');
  }
  return sqliteStore(folder, options);
}

/** Large values are where `FATHOM_VALUES` says. */
function sharedStore(url: string): Store {
  const values = process.env.FATHOM_VALUES;
  return postgresStore(url, values === undefined || values === '' ? {} : { values: s3Values(values) });
}

function isUrl(store: string): boolean {
  return /^[a-z]+:\/\//.test(store);
}

/** Whether the folder is not this user's own, or leads elsewhere: such a store is never replaced by another in silence. */
function isRefused({ data }: StoreError): boolean {
  return 'refused' in data;
}

function withAdvice({ message, cause, data }: StoreError, advice: string): StoreError {
  return new StoreError({ message: `${message} ${advice}`, cause, userAction: true, data });
}

function keeping(store: Store, durable: boolean): StoreHandle {
  return { store, durable, [Symbol.asyncDispose]: () => store.close() };
}

/** The argument that makes a command use this folder; empty for the usual one. */
export function storeArgument(folder: string): string {
  if (folder === DEFAULT_STORE || folder === process.env.FATHOM_STORE) return '';
  return ` --store ${quoted(isUrl(folder) ? withoutPassword(folder) : folder)}`;
}

function withoutPassword(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  parsed.password = '';
  return parsed.href;
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./@%+:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** A folder as a person knows it: relative where it lies below the working directory. */
export function shownFolder(location: string): string {
  const inside = relative('.', location);
  return inside === '' || inside.startsWith(`..${sep}`) || inside === '..' ? location : inside;
}

/** @throws RlmError `run-not-found` */
export function runNotFound(runId: string, { location }: Store): RlmError {
  return new RlmError({
    code: 'run-not-found',
    message: `There is no run ${runId} in ${shownFolder(location)}: list its runs with \`fathom runs\`.`,
    userAction: true,
    data: { runId },
  });
}
