import type { Command } from 'commander';
import { isolationOption } from '../ask-options.ts';
import type { Console } from '../console.ts';
import { addProgressOptions } from '../progress-options.ts';
import type { WatchInterrupts } from '../show-run.ts';
import { addStoreOption } from '../store.ts';
import { type ResumeOptions, resume } from './resume.ts';

/** What commands of runs and sessions need of the command line. */
export interface Surroundings {
  readonly console: Console;
  readonly interrupts: WatchInterrupts;
  /** Takes the exit code of what was done. */
  readonly end: (code: number) => void;
}

/** Adds `fathom runs`, `fathom resume` and `fathom cancel`. */
export function addRunCommands(fathom: Command, { console, interrupts, end }: Surroundings): void {
  addProgressOptions(
    addStoreOption(
      fathom
        .command('resume')
        .description('go on with a run that was interrupted or paused, without paying again for what is recorded')
        .argument('<id>', 'the run')
        .addOption(isolationOption()),
    ),
  ).action(async (id: string, options: ResumeOptions) => {
    end(await resume({ id, options, console, interrupts }));
  });
}
