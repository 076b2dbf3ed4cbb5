import { describe, expect, it } from 'vitest';
import { parseReply } from '../protocol/index.ts';
import { coachEmptyReply } from './coach-empty-reply.ts';
import { feedbackMessage } from './feedback.ts';
import { likelyName } from './likely-name.ts';
import * as notes from './notes.ts';

describe('an empty reply', () => {
  it.each([
    ['empty', { text: '', reasoning: undefined, mayAnswer: false }, 'it is empty', /print\(type\(context\)/],
    ['prose', { text: 'Let me think.', reasoning: undefined, mayAnswer: true }, 'text alone', /SHOW_VARS/],
    [
      'prose that may be the answer',
      { text: 'VAULT-77', reasoning: undefined, mayAnswer: true },
      'your answer',
      /^FINAL\("VAULT-77"\)$/,
    ],
    [
      'prose too early',
      { text: 'VAULT-77', reasoning: undefined, mayAnswer: false },
      'text alone',
      /print\(type\(context\)/,
    ],
    [
      'another language',
      { text: '```sql\nSELECT 1\n```', reasoning: undefined, mayAnswer: true },
      'tagged sql',
      /SHOW_VARS/,
    ],
    ['reasoning', { text: '', reasoning: 'It is big.', mayAnswer: true }, 'only reasoning came', /SHOW_VARS/],
    [
      'reasoning with a block',
      { text: '', reasoning: 'So\n```python\nprint(7)\n```', mayAnswer: false },
      'only reasoning',
      /print\(7\)/,
    ],
    [
      'reasoning with an answer',
      { text: '', reasoning: 'Hm.\nFINAL(62)', mayAnswer: true },
      'only reasoning',
      /^FINAL\("62"\)$/,
    ],
    [
      'reasoning with an answer too early',
      { text: '', reasoning: 'FINAL(62)', mayAnswer: false },
      'only reasoning',
      /print\(type/,
    ],
  ])('%s: names what came and gives what to send', (_, facts, seen, send) => {
    const { note } = coachEmptyReply(facts);
    expect(note.text).toContain('held nothing to run');
    expect(note.text).toContain(seen);
    expect(note.send).toMatch(send);
    expect(parseReply(note.send ?? '')).toMatchObject({ commands: [{}], rejected: [] });
  });

  it('has a form, so that a change of form can be seen', () => {
    const forms = ['', 'Hm.', '```sql\nx\n```', '```r\nx\n```'].map(
      (text) => coachEmptyReply({ text, reasoning: undefined, mayAnswer: false }).form,
    );
    expect(new Set(forms).size).toBe(4);
  });
});

describe('the text to send in a message', () => {
  it('is one that a reply can repeat with its indentation, and no line of it passes for the runtime’s', () => {
    const send = '```repl\nif True:\n    print(1)\nNote = 1\n```';
    const message = feedbackMessage({
      commands: [],
      notes: [{ text: 'Send exactly this', send }],
      variables: undefined,
      budget: undefined,
    });
    const [head, ...lines] = message.split('\n');
    expect(head).toBe('Note: Send exactly this:');
    expect(lines.every((line) => line.startsWith('    '))).toBe(true);
    expect(parseReply(lines.join('\n')).commands).toEqual([{ type: 'cell', code: 'if True:\n    print(1)\nNote = 1' }]);
  });
});

describe('a wrong name', () => {
  it.each([
    ['totl', ['context', 'total', 'rows'], 'total'],
    ['Total', ['total'], 'total'],
    ['final_answer', ['finalAnswer', 'x'], 'finalAnswer'],
    ['total', ['total_count', 'rows'], 'total_count'],
    ['uuid', ['context', 'rows', 'key'], undefined],
    ['ab', ['ac', 'ad'], undefined],
    ['contex', ['context'], undefined],
  ])('%s among %j is %s', (name, names, likely) => {
    expect(likelyName(name, names)).toBe(likely);
  });

  it('of FINAL_VAR: the names, and the line to send where one is likely', () => {
    expect(notes.unknownVariable('totl', ['context', 'total'])).toMatchObject({ send: 'FINAL_VAR(total)' });
    expect(notes.unknownVariable('x', ['context', 'result'])).toMatchObject({ send: 'FINAL_VAR(result)' });
    expect(notes.unknownVariable('x', ['aaa', 'bbb']).send).toBeUndefined();
    expect(notes.unknownVariable('x', ['aaa', 'bbb']).text).toContain('aaa, bbb');
    expect(notes.refusedUnbound('city_1', ['rows'])).toMatchObject({ send: 'FINAL("city_1")' });
  });
});
