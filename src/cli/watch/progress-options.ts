import { type Command, Option } from 'commander';

/** How a command shows a run. */
export interface ProgressOptions {
  readonly json?: true;
  readonly trace?: string;
  readonly quiet?: true;
  readonly verbose?: true;
}

/** Declares them. */
export function addProgressOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object: outcome, stop, answer, text, usage, turns, subCalls, …')
    .option('--trace <file>', 'write every event of the run as a line of JSON')
    .addOption(new Option('-q, --quiet', 'no progress on standard error').conflicts('verbose'))
    .option('-v, --verbose', 'show what the model writes and sees');
}
