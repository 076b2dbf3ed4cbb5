import type { Command } from 'commander';
import {
  addContextOptions,
  addInstructionsOption,
  addLimitOptions,
  addReplOptions,
  addViewOptions,
} from '../options/ask-options.ts';
import { addModelOptions, addSettingOptions } from '../options/models.ts';
import { addKeepOptions } from '../options/store.ts';
import { amount } from '../options/values.ts';
import type { Surroundings } from '../runs/commands.ts';
import { type Console, isInteractive } from '../screen/console.ts';
import type { SignalSource } from '../watch/interrupts.ts';
import type { ChatOptions } from './chat-session.ts';

export interface ChatSurroundings extends Surroundings {
  readonly signals: SignalSource;
  readonly exit: () => void;
  /** Where lines are edited: the first of them that is a terminal. */
  readonly screens: readonly (NodeJS.WritableStream & { readonly isTTY?: boolean })[];
}

/** Adds `fathom chat`. */
export function addChatCommand(fathom: Command, { console, signals, exit, end, screens }: ChatSurroundings): void {
  const command = fathom
    .command('chat')
    .description('ask one question after the other; variables and earlier answers stay');
  addSettingOptions(addModelOptions(addContextOptions(command)));
  addInstructionsOption(addViewOptions(addLimitOptions(addReplOptions(addKeepOptions(command)))))
    .option(
      '--session <id>',
      'continue with this session: its id, the beginning of it, or last (default: FATHOM_SESSION)',
    )
    .option('--lifetime <seconds>', 'of the session after its last line (default: 604800, a week)', amount)
    .addHelpText('after', EXAMPLES)
    .action(async (options: ChatOptions) => {
      const { chat } = await import('./chat.ts');
      end(await chat({ options, console, signals, exit, screen: screenOf(console, screens) }));
    });
}

function screenOf({ stdin, env }: Console, screens: ChatSurroundings['screens']): NodeJS.WritableStream | undefined {
  if (stdin.isTTY !== true) return undefined;
  return screens.find((screen) => isInteractive(screen, env));
}

const EXAMPLES = `
Each line is a question, or a command: /run CODE, /vars, /snapshot [NAME], /rollback NAME, /help, /quit.
Limits hold for each question. Without a terminal, each line of standard input is one.

Examples:
  fathom chat -f novel.txt -m openai/gpt-5-mini
  fathom chat --session last
  printf 'Who wrote the letter?\\nAnd to whom?\\n' | fathom chat -q -f novel.txt
`;
