import type { Command } from 'commander';
import { addContextOptions, addProgressOptions, addQuestionOptions, addReplOptions } from '../options/ask-options.ts';
import { addModelOptions } from '../options/models.ts';
import { addStoreOption } from '../options/store.ts';
import { amount, count } from '../options/values.ts';
import type { Surroundings } from '../runs/commands.ts';
import { reported } from '../screen/error-report.ts';
import type { AskInOptions } from './ask.ts';
import type { CreateOptions } from './create.ts';
import type { LifetimeOptions } from './lifetime.ts';
import type { RunCode, RunOptions } from './run-code.ts';
import type { OnSnapshots, SnapshotOptions } from './snapshots.ts';

/** Adds `fathom session …`. Each command is loaded on demand. */
export function addSessionCommands(fathom: Command, surroundings: Surroundings): void {
  const session = fathom
    .command('session')
    .description('a REPL that lives across commands: each restores it, does one thing, and releases it');
  addCreate(session, surroundings);
  addWork(session, surroundings);
  addSnapshots(session, surroundings);
  addLifetime(session, surroundings);
}

function addCreate(session: Command, { console, end }: Surroundings): void {
  const create = session.command('create').description('create a session; its id goes to standard output');
  addReplOptions(addModelOptions(addStoreOption(addContextOptions(create))))
    .option('--lifetime <seconds>', 'until it expires (default: 1800)', amount)
    .option('--max-cost <usd>', 'US dollars for its own cells, and for each question', amount)
    .option('--max-tokens <n>', 'tokens for its own cells, and for each question', count)
    .option('--json', 'print its status as one JSON object')
    .action(async (options: CreateOptions) => {
      const { createStoredSession } = await import('./create.ts');
      end(await reported(options, console, () => createStoredSession(options, console)));
    });
}

function addWork(session: Command, { console, interrupts, end }: Surroundings): void {
  const kinds = [
    ['exec', 'run Python in a session; - reads it from standard input', 'code'],
    ['bash', 'run a bash command on the files of a session; - reads it from standard input', 'command'],
  ] as const;
  for (const [name, description, argument] of kinds) {
    addModelOptions(addStoreOption(session.command(name).description(description)))
      .argument('<id>', 'the session: its id, the beginning of it, or last')
      .argument(`<${argument}>`, 'what to run')
      .option('--timeout <seconds>', 'of its own time (default: 120)', amount)
      .option('--json', 'print the result as one JSON object')
      .action(async (id: string, source: string, options: RunOptions) => {
        const { bash, execute } = await import('./run-code.ts');
        const run: RunCode = { id, source, options, console, interrupts };
        end(await reported(options, console, () => (name === 'exec' ? execute(run) : bash(run))));
      });
  }
  const ask = session.command('ask').description('ask a question on the REPL of a session');
  addProgressOptions(addStoreOption(addQuestionOptions(ask)))
    .argument('<id>', 'the session: its id, the beginning of it, or last')
    .argument('[question]', 'what to find out')
    .action(async (id: string, question: string | undefined, options: AskInOptions) => {
      const { askInSession } = await import('./ask.ts');
      end(await askInSession({ id, question, options, console, interrupts }));
    });
}

function addSnapshots(session: Command, { console, end }: Surroundings): void {
  const kinds = [
    ['snapshot', 'take snapshots of variables and files', '<names...>', 'takeSnapshots'],
    ['rollback', 'go back to a snapshot: variables and files are as they were', '<name>', 'rollback'],
    ['delete-snapshot', 'delete snapshots, which frees their places', '<names...>', 'deleteSnapshots'],
  ] as const;
  for (const [name, description, argument, work] of kinds) {
    addStoreOption(session.command(name).description(description))
      .argument('<id>', 'the session: its id, the beginning of it, or last')
      .argument(argument, 'of the snapshot')
      .option('--json', 'print the snapshots there are as one JSON array')
      .action(async (id: string, given: string | readonly string[], options: SnapshotOptions) => {
        const snapshots = await import('./snapshots.ts');
        const on: OnSnapshots = { id, names: typeof given === 'string' ? [given] : given, options, console };
        end(await reported(options, console, () => snapshots[work](on)));
      });
  }
}

function addLifetime(session: Command, { console, end }: Surroundings): void {
  addStoreOption(session.command('list').description('list open sessions, newest first'))
    .option('--all', 'also those that have ended')
    .option('--json', 'print one JSON array')
    .action(async (options: LifetimeOptions & { readonly all?: true }) => {
      const { listSessions } = await import('./lifetime.ts');
      end(await reported(options, console, () => listSessions(options, console)));
    });
  const kinds = [
    ['status', 'show the state of a session', 'showStatus'],
    ['extend', 'add to the time of a session', 'extend'],
    ['close', 'end a session for good', 'close'],
  ] as const;
  for (const [name, description, work] of kinds) {
    addStoreOption(session.command(name).description(description))
      .argument('<id>', 'the session: its id, the beginning of it, or last')
      .option('--json', 'print it as one JSON object')
      .action(async (id: string, options: LifetimeOptions) => {
        const lifetime = await import('./lifetime.ts');
        end(await reported(options, console, () => lifetime[work](id, options, console)));
      });
  }
}
