import { type Command, InvalidArgumentError, Option } from 'commander';
import type { RunStatus } from '../../store/index.ts';
import { addOutputOptions, addProgressOptions, isolationOption } from '../options/ask-options.ts';
import { addServerOptions } from '../options/models.ts';
import { addStoreOption, type StoreOptions } from '../options/store.ts';
import { amount, count } from '../options/values.ts';
import type { Console } from '../screen/console.ts';
import { reported } from '../screen/error-report.ts';
import type { ExportOptions } from '../view/export.ts';
import type { ViewOptions } from '../view/view.ts';
import type { WatchInterrupts } from '../watch/show-run.ts';
import type { ListOptions } from './list.ts';
import type { ResumeOptions } from './resume.ts';
import type { ShowOptions } from './show.ts';

/** Shared inputs of the commands of runs and sessions. */
export interface Surroundings {
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
  /** Takes the exit code. */
  readonly end: (code: number) => void;
}

const STATUSES: readonly RunStatus[] = ['queued', 'running', 'interrupted', 'paused', 'completed', 'failed', 'aborted'];

/** Adds `fathom runs`, `resume`, `cancel`, `view` and `export`. Each is loaded on demand. */
export function addRunCommands(fathom: Command, surroundings: Surroundings): void {
  addRuns(fathom, surroundings);
  addResume(fathom, surroundings);
  addCancel(fathom, surroundings);
  addView(fathom, surroundings);
  addExport(fathom, surroundings);
}

function addRuns(fathom: Command, { console, end }: Surroundings): void {
  const runs = fathom
    .command('runs')
    .description('the runs that are kept: list them, show one')
    .addHelpText('after', '\n`fathom runs` alone lists them, and takes the options of `fathom runs list`.');
  addStoreOption(runs.command('list', { isDefault: true }).description('list runs, newest first (what `runs` does)'))
    .addOption(
      new Option('--status <status...>', 'only runs with this status (completed: converged or exhausted)').choices(
        STATUSES,
      ),
    )
    .option('--since <time>', 'only runs started since: 90m, 12h, 7d, 2w ago, or 2026-01-31', (text) => sinceTime(text))
    .option('--text <words>', 'only runs whose question holds this')
    .option('--limit <n>', 'at most so many', count, 50)
    .option('--json', 'print one JSON array')
    .action(async (options: ListOptions) => {
      const { listRuns } = await import('./list.ts');
      end(await reported(options, console, () => listRuns(options, console)));
    });
  addStoreOption(runs.command('show').description('show a run: its turns, commands, children and cost'))
    .argument('<id>', 'the run: its id, the beginning of it, or last')
    .option('--calls', 'show every sub-call: cell, model, prompt, reply, tokens, cost, time, attempts')
    .option('--follow', 'report what happens until the run has ended, wherever it runs')
    .option('--full', 'whole prompts and replies of sub-calls, with --calls or --json')
    .option('--json', 'print it as one JSON object, with every reply, output and sub-call')
    .action(async (id: string, options: ShowOptions) => {
      const { showStoredRun } = await import('./show.ts');
      end(await reported(options, console, () => showStoredRun(id, options, console)));
    });
}

function addResume(fathom: Command, { console, interrupts, end }: Surroundings): void {
  const command = fathom
    .command('resume')
    .description('continue an interrupted or paused run; recorded calls are not paid again')
    .argument('<id>', 'the run: its id, the beginning of it, or last')
    .addOption(isolationOption());
  addProgressOptions(addStoreOption(addOutputOptions(addServerOptions(command)))).action(
    async (id: string, options: ResumeOptions) => {
      const { resume } = await import('./resume.ts');
      end(await resume({ id, options, console, interrupts }));
    },
  );
}

function addCancel(fathom: Command, { console, end }: Surroundings): void {
  addStoreOption(fathom.command('cancel').description('end a run for good, also one that runs in another process'))
    .argument('<id>', 'the run: its id, the beginning of it, or last')
    .option('--wait <seconds>', 'how long its process is given to stop', amount, 15)
    .option('--json', 'print how the run ended as one JSON object')
    .action(async (id: string, options: StoreOptions & { readonly wait: number; readonly json?: true }) => {
      const { cancel } = await import('./cancel.ts');
      const wait = options.wait * 1_000;
      end(await reported(options, console, () => cancel(id, { ...options, wait }, console)));
    });
}

function addView(fathom: Command, { console, end }: Surroundings): void {
  addStoreOption(fathom.command('view').description('show runs in the browser, until Ctrl-C'))
    .argument('[id|file]', 'a run: its id, the beginning of it, last, or a log of the reference implementation')
    .option('--port <n>', 'port on 127.0.0.1 (default: any free one)', count)
    .option('--no-open', 'print the address and open no browser')
    .action(async (id: string | undefined, options: ViewOptions) => {
      const { view } = await import('../view/view.ts');
      end(await reported({}, console, () => view(id, options, { console, signals: process })));
    });
}

function addExport(fathom: Command, { console, end }: Surroundings): void {
  addStoreOption(fathom.command('export').description('write a run as one HTML file that opens without a server'))
    .argument('<id|file>', 'the run: its id, the beginning of it, last, or a log of the reference implementation')
    .option('-o, --output <file>', 'the file to write (default: fathom-ID.html)')
    .option('--force', 'replace a file that exists')
    .option('--no-content', 'figures and structure only: no question, answer, code, output, prompt or reply')
    .action(async (id: string, options: ExportOptions) => {
      const { exportRun } = await import('../view/export.ts');
      end(await reported({}, console, () => exportRun(id, options, console)));
    });
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A time before now (`90m`, `12h`, `7d`, `2w`) or a date (`2026-01-31`, `2026-01-31T09:00`), as ISO 8601 in UTC. */
export function sinceTime(text: string, now: number = Date.now()): string {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  const time = ago === null ? dateOf(text) : now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ''] ?? 0);
  if (Number.isNaN(time)) throw new InvalidArgumentError('It must be like 90m, 12h, 7d, 2w or 2026-01-31.');
  return new Date(time).toISOString();
}

/** A day begins at midnight here; a time without a zone is a time here. */
function dateOf(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return Number.NaN;
  return Date.parse(text.length === 10 ? `${text}T00:00` : text);
}
