import type { Command } from 'commander';
import type { Console } from '../screen/console.ts';

/** `fathom cache clear`. */
export function addCacheCommands(fathom: Command, { console }: { readonly console: Console }): void {
  fathom
    .command('cache')
    .description('documents that were converted for earlier runs')
    .command('clear')
    .description('delete them; later runs convert their documents again')
    .action(async () => {
      // Loaded on demand, as every command.
      const { clearConversions } = await import('../../convert/conversion-cache.ts');
      const { folder, count } = clearConversions();
      console.stdout.write(`${count} converted ${count === 1 ? 'document' : 'documents'} deleted in ${folder}\n`);
    });
}
