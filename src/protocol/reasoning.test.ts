import { describe, expect, it } from 'vitest';
import { parseReply } from './index.ts';

function runs(reply: string): string[] {
  return parseReply(reply).commands.map((command) => (command.type === 'bash' ? command.command : command.type));
}

describe('reasoning', () => {
  it.each([
    ['a block of it is cut out', '<think>RUN(no)\nRUN(no)</think>\nRUN(yes)', ['yes']],
    ['tags are read in any case', '<THINKING>\nRUN(no)\n</Thinking>RUN(yes)', ['yes']],
    ['only its own closing tag ends it', '<thinking>\n</think>\nRUN(no)\n</thinking>\nRUN(yes)', ['yes']],
    ['unclosed it runs to the end', 'RUN(yes)\n<think>\nRUN(no)\n```bash\nno\n```', ['yes']],
    ['what stands before it on a line counts at the end', 'RUN(yes)<think>and', ['yes']],
    ['text before and after it joins to one line', 'RUN(y<think>RUN(no)\n</think>es)', ['yes']],
    ['a fence in it is no fence', '<think>\n```bash\nno\n</think>\nRUN(yes)', ['yes']],
    ['in a fence a tag is code', '```bash\necho "<think>"\n```\nRUN(yes)', ['echo "<think>"', 'yes']],
    ['in a fence a closing tag is code', '```bash\necho "</think>"\n```', ['echo "</think>"']],
    ['other tags are text', 'RUN(cat <thinker> <th)', ['cat <thinker> <th']],
  ])('%s', (_, reply, commands) => {
    expect(runs(reply)).toEqual(commands);
  });
});

describe('a closing tag without an opening one', () => {
  it.each([
    ['makes reasoning of the text before it', 'So RUN(no)\n</think>\nRUN(yes)', ['yes']],
    ['as `</thinking>` too', 'So RUN(no)\n</thinking>\nRUN(yes)', ['yes']],
    ['also of a command on its own line, which has not closed', 'RUN(no) </think>RUN(yes)', ['yes']],
    ['and of one whose argument is open', 'RUN(no\n</think>RUN(yes)', ['yes']],
    ['and of an untagged block, which waits', '```\nno\n```\n</think>', []],
    ['again, as long as no command has closed', 'no\n</think>\nno RUN(no)\n</think>\nRUN(yes)', ['yes']],
    ['but takes no command back that has closed', 'RUN(one)\n</think>\nRUN(two)', ['one', 'two']],
    ['and is cut out then', 'RUN(one)\n</think>RUN(two)', ['one', 'two']],
  ])('%s', (_, reply, commands) => {
    const parsed = parseReply(reply);
    expect(runs(reply)).toEqual(commands);
    expect(parsed.rejected).toEqual([]);
  });
});
