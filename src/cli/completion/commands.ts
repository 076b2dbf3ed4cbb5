import { Argument, type Command } from 'commander';
import type { Surroundings } from '../runs/commands.ts';
import { SCRIPTS, SHELLS } from './scripts.ts';

/**
 * Adds `fathom completion SHELL`, and the hidden `fathom complete`, which the scripts call. The words come from the tree of
 * commands itself: libraries for this want their own declaration of every option, which would go out of date.
 */
export function addCompletionCommands(fathom: Command, { console }: Pick<Surroundings, 'console'>): void {
  fathom
    .command('completion')
    .description('print the script that completes commands, options, models and ids in your shell')
    .addArgument(new Argument('<shell>', 'where it is for').choices(SHELLS))
    .addHelpText('after', '\nIn ~/.bashrc: eval "$(fathom completion bash)"')
    .action((shell: (typeof SHELLS)[number]) => {
      console.stdout.write(SCRIPTS[shell]);
    });
  fathom
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: readonly string[]) => {
      const [{ candidatesFor }, { SOURCES }] = await Promise.all([import('./candidates.ts'), import('./sources.ts')]);
      const found = await candidatesFor(fathom, words, SOURCES);
      console.stdout.write(found.map(({ word, description }) => `${word}\t${description}\n`).join(''));
    });
}
