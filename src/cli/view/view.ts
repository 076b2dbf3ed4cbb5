import { messageOf } from '../../errors.ts';
import { type Shown, startViewServer } from '../../server/page/view-server.ts';
import { EXIT } from '../exit-codes.ts';
import { runIdOf } from '../options/ids.ts';
import { openToLook, runNotFound, type StoreOptions } from '../options/store.ts';
import { type Console, isInteractive } from '../screen/console.ts';
import { onOneLine } from '../screen/terminal-text.ts';
import { type SignalSource, untilSignal } from '../watch/interrupts.ts';
import { actOn } from './act.ts';
import { openBrowser } from './browser.ts';
import { isFileName, openDocument } from './open-document.ts';

/** The options of `fathom view`. */
export interface ViewOptions extends StoreOptions {
  readonly port?: number;
  /** False: the address is printed and nothing is opened. */
  readonly open: boolean;
}

/** Where the command runs. */
export interface ViewSurroundings {
  readonly console: Console;
  readonly signals: SignalSource;
}

/** The runs to show, and where the page begins. */
interface Opened extends AsyncDisposable {
  readonly shown: Shown;
  /** The route of the page. */
  readonly route: string;
  /** The run it shows first. */
  readonly first?: string;
}

/** Characters of one line about an error. */
const ERROR_CHARS = 500;

/** Shows runs in the browser until SIGINT or SIGTERM. Resolves with the exit code. */
export async function view(
  given: string | undefined,
  options: ViewOptions,
  { console, signals }: ViewSurroundings,
): Promise<number> {
  const { stdout, stderr, env } = console;
  const stopping = untilSignal(signals);
  const note = (line: string): void => void stderr.write(`${onOneLine(line, ERROR_CHARS)}\n`);
  await using opened = await open(given, options, note);
  await using server = await startViewServer({
    ...{ shown: opened.shown, port: options.port ?? 0 },
    ...(opened.first !== undefined && { first: opened.first }),
    onError: (error) => note(`fathom view: ${messageOf(error)}`),
  });
  const address = `${server.url}/#token=${server.token}${opened.route}`;
  stdout.write(`${address}\n`);
  note('The address works once, in one browser. Ctrl-C ends the page.');
  await using _browser = options.open && isInteractive(stderr, env) ? openBrowser(address, env) : undefined;
  await stopping;
  return EXIT.answered;
}

async function open(
  given: string | undefined,
  { store: folder }: ViewOptions,
  note: (line: string) => void,
): Promise<Opened> {
  if (given !== undefined && isFileName(given)) {
    const document = await openDocument(given, folder);
    const route = `/run/${document.facts.id}/turns`;
    return { shown: { document }, route, [Symbol.asyncDispose]: async () => undefined };
  }
  const { store } = openToLook(folder);
  const shown: Shown = { store, act: (action, id) => actOn(action, id, { folder, note }) };
  if (given === undefined) return { shown, route: '/', [Symbol.asyncDispose]: () => store.close() };
  const id = await runIdOf(given, store);
  if ((await store.runs.get(id)) === undefined) throw runNotFound(id, store);
  return { shown, route: `/run/${id}/turns`, first: id, [Symbol.asyncDispose]: () => store.close() };
}
