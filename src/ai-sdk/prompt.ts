import type { LanguageModelV4FilePart, LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider';
import type { DoorMessage, DoorPart } from '../door/messages.ts';
import { RlmError } from '../errors.ts';
import { outputText } from '../tool-output.ts';

type Content = Exclude<LanguageModelV4Message['content'], string>[number];

/**
 * The messages of an AI SDK prompt in the form of all doors. Reasoning of earlier answers is left out: it is the code of runs
 * that have ended.
 *
 * @throws RlmError `context-invalid` for a file that is not in the prompt
 */
export function doorMessages(prompt: LanguageModelV4Prompt): readonly DoorMessage[] {
  return prompt.map(({ role, content }) => ({
    role,
    parts:
      typeof content === 'string'
        ? [{ type: 'text' as const, text: content }]
        : (content as readonly Content[]).flatMap(partsOf),
  }));
}

function partsOf(part: Content): readonly DoorPart[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text }];
    case 'file':
      return [filePart(part)];
    case 'tool-call':
      return [{ type: 'text', text: `[call of the tool ${part.toolName}: ${JSON.stringify(part.input)}]` }];
    case 'tool-result':
      return [{ type: 'text', text: `[result of the tool ${part.toolName}] ${outputText(part.output)}` }];
    case 'tool-approval-response':
      return [{ type: 'text', text: `[the tool call was ${part.approved ? 'approved' : 'denied'}]` }];
    case 'reasoning':
    case 'reasoning-file':
    case 'custom':
      return [];
  }
}

function filePart({ data, mediaType, filename }: LanguageModelV4FilePart): DoorPart {
  const name = filename === undefined ? {} : { name: filename };
  switch (data.type) {
    case 'data': {
      const bytes = typeof data.data === 'string' ? Buffer.from(data.data, 'base64') : data.data;
      return { type: 'file', mediaType, data: bytes, ...name };
    }
    case 'text':
      return { type: 'file', mediaType, data: data.text, ...name };
    case 'url':
      // `ai` downloads what it can; the rest is of a form that it cannot load either.
      throw notInPrompt(
        filename,
        `its content is at ${data.originalUrl ?? data.url.href}: load it and send its content`,
      );
    case 'reference':
      throw notInPrompt(filename, 'it is a reference to a file at a provider: send its content');
  }
}

function notInPrompt(name = 'file', why: string): RlmError {
  return new RlmError({
    code: 'context-invalid',
    message: `The file ${name} of the messages cannot be used: ${why}.`,
    userAction: true,
    data: { param: 'messages', file: name },
  });
}
