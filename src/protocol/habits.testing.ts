/** A reading of replies for tests of the habits of model families. */
import { expect } from 'vitest';
import { createReplyParser, parseReply } from './index.ts';

interface Options {
  readonly finishReason?: string;
  readonly jsonAnswer?: boolean;
}

/** Commands as `type text`, rejections as their code; the same for every chunking. */
export function read(reply: string, options: Options = {}): string[] {
  const { commands, rejected } = parseReply(reply, options);
  const parser = createReplyParser();
  const parts = [...reply].map((character) => parser.push(character));
  parts.push(parser.end(options));
  expect({
    commands: parts.flatMap((part) => part.commands),
    rejected: parts.flatMap((part) => part.rejected),
  }).toEqual({
    commands,
    rejected,
  });
  const texts = commands.map((command) => {
    const { type, ...rest } = command;
    return `${type} ${Object.values(rest).at(-1)}`;
  });
  return [...texts, ...rejected.map(({ code }) => code)];
}

/** A block that runs, and its reading. */
export const block = '```repl\nprint(1)\n```';
export const cell = 'cell print(1)';
