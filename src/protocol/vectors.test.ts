import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Command } from './command.ts';
import { createReplyParser, parseReply } from './index.ts';

interface Vector {
  readonly id: string;
  readonly reply: string;
  readonly finishReason?: string;
  readonly commands: readonly unknown[];
  readonly rejected: readonly string[];
}

const vectors: readonly Vector[] = readFileSync(new URL('reply-protocol.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

function formOf(command: Command): unknown {
  switch (command.type) {
    case 'cell':
      return ['cell', command.code];
    case 'bash':
      return ['bash', command.command];
    case 'final':
      return ['final', command.form, command.value];
    case 'final-var':
    case 'snapshot':
    case 'rollback':
      return [command.type, command.name];
    case 'query-llm':
      return ['query-llm', command.prompt];
    case 'query-llm-batched':
      return ['query-llm-batched', command.items];
  }
}

describe('the vectors of the reply protocol', () => {
  it.each(vectors)('$id', ({ reply, finishReason, commands, rejected }) => {
    const parsed = parseReply(reply, finishReason === undefined ? {} : { finishReason });
    expect(parsed.commands.map(formOf)).toEqual(commands);
    expect(parsed.rejected.map(({ code }) => code)).toEqual(rejected);
  });

  it.each(vectors)('$id, cut at every place', ({ reply, finishReason = 'stop' }) => {
    const whole = parseReply(reply, { finishReason });
    for (let cut = 0; cut <= reply.length; cut += 1) {
      const parser = createReplyParser();
      const parts = [parser.push(reply.slice(0, cut)), parser.push(reply.slice(cut)), parser.end({ finishReason })];
      expect(parts.flatMap((part) => part.commands)).toEqual(whole.commands);
      expect(parts.flatMap((part) => part.rejected)).toEqual(whole.rejected);
    }
  });
});
