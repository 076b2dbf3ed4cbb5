import { expect, it } from 'vitest';
import { Conversation } from '../engine/conversation.ts';
import { png } from '../model/image.testing.ts';
import { ModelImage } from '../model/image.ts';
import { afterStep, type CompactionStep } from './compaction-plan.ts';

function withImages(): Conversation {
  const conversation = new Conversation('system', 'first');
  const feedback = `[t1.0] cell: ok\n| ${'a line\n| '.repeat(200)}Image 1 of this message`;
  const images = [new ModelImage(png(8, 8)), new ModelImage(png(9, 9))];
  const commands = [{ id: 't1.0', kind: 'cell', ok: true, chars: 1_400 }];
  conversation.append({ handle: 't1', reply: 'look', feedback, commands, images });
  return conversation;
}

const NOTE = '\n(2 images of this message dropped to save room: show(image) shows one again)';

const KEPT: readonly CompactionStep[] = [
  { step: 'drop', turns: ['t1'] },
  { step: 'shorten', turns: ['t1'], chars: 400 },
];

it.each(KEPT)('a message whose images go in step $step says so once', (step) => {
  const conversation = withImages();
  expect(conversation.messages[3]?.content).not.toContain('to save room');
  conversation.show(afterStep(conversation.view, step));
  conversation.show(afterStep(conversation.view, step));
  const { content, images } = conversation.messages[3] ?? {};
  expect(images).toBeUndefined();
  expect(content?.endsWith(NOTE)).toBe(true);
  expect(content?.split(NOTE)).toHaveLength(2);
});

it.each<CompactionStep>([
  { step: 'cut', turns: ['t1'] },
  { step: 'summarise', turns: ['t1'], summary: 'seen' },
])('the table of contents names the images of a turn that goes in step $step', (step) => {
  const conversation = withImages();
  conversation.show(afterStep(conversation.view, step));
  expect(conversation.messages).toHaveLength(2);
  expect(conversation.messages[1]?.content).toContain(
    '- t1: [t1.0] cell ok, 1400 characters; 2 images, which history does not return',
  );
});
