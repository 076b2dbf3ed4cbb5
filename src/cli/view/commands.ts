import type { Command } from 'commander';
import { addStoreOption } from '../options/store.ts';
import type { Surroundings } from '../runs/commands.ts';
import { reported } from '../screen/error-report.ts';
import type { ExportOptions } from './export.ts';

/** Adds `fathom export`. It is loaded on demand. */
export function addViewCommands(fathom: Command, { console, end }: Surroundings): void {
  addStoreOption(fathom.command('export').description('write a run as one HTML file that opens without a server'))
    .argument('<id|file>', 'the run: its id, the beginning of it, last, or a log of the reference implementation')
    .option('-o, --output <file>', 'the file to write (default: fathom-ID.html)')
    .option('--force', 'replace a file that exists')
    .option('--no-content', 'figures and structure only: no question, answer, code, output, prompt or reply')
    .action(async (id: string, options: ExportOptions) => {
      const { exportRun } = await import('./export.ts');
      end(await reported({}, console, () => exportRun(id, options, console)));
    });
}
