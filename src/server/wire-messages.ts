import { isObject } from '../argument-checks.ts';
import type { DoorMessage, DoorPart } from '../door/messages.ts';
import { refusedParameter } from '../door/parameters.ts';
import { RlmError } from '../errors.ts';

/** A part of a message, in either API of OpenAI. */
type WirePart = Readonly<Record<string, unknown>>;

const ROLES: Readonly<Record<string, DoorMessage['role']>> = {
  ...{ system: 'system', developer: 'system', user: 'user', assistant: 'assistant', tool: 'tool', function: 'tool' },
};

/** The error of a request that names something it cannot have. */
export function invalidField(param: string, why: string): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `The field ${param} cannot be used: ${why}.`,
    userAction: true,
    data: { param },
  });
}

/** Does something for a field of a request, whose name its errors get. */
export function inField<T>(param: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!RlmError.isInstance(error)) throw error;
    const { code, message, data } = error;
    throw new RlmError({ code, message, userAction: true, data: { ...data, param }, cause: error });
  }
}

/** A message of either API; its calls of tools become text, because they belong to the conversation. */
export function doorMessage(message: WirePart): DoorMessage {
  const { role, content, tool_calls: calls } = message;
  const parts = typeof content === 'string' ? [textPart(content)] : partsOf(content);
  const asked = calls === undefined || calls === null ? [] : [textPart(JSON.stringify(calls))];
  return { role: ROLES[String(role)] ?? 'user', parts: [...parts, ...asked] };
}

function partsOf(content: unknown): readonly DoorPart[] {
  return Array.isArray(content) ? content.map((part: unknown) => doorPart(isObject(part) ? part : {})) : [];
}

function doorPart(part: WirePart): DoorPart {
  switch (part.type) {
    case 'text':
    case 'input_text':
    case 'output_text':
    case 'summary_text':
      return textPart(textField(part, 'text'));
    case 'refusal':
      return textPart(textField(part, 'refusal'));
    case 'file':
      return filePart(isObject(part.file) ? part.file : {});
    case 'input_file':
      return filePart(part);
    case 'image_url':
      return imagePart(isObject(part.image_url) ? part.image_url.url : part.image_url);
    case 'input_image':
      return imagePart(part.image_url);
    case 'input_audio':
      throw refusedParameter('audio');
    default:
      throw invalidField('messages', `a part of type ${JSON.stringify(part.type ?? null)} is not known here`);
  }
}

function textField(part: WirePart, name: string): string {
  const text = part[name];
  if (typeof text === 'string') return text;
  throw invalidField('messages', `the field ${name} of a part of type ${String(part.type)} has to be a text`);
}

function textPart(text: string): DoorPart {
  return { type: 'text', text };
}

/** An image as a data URL, which is the one form that needs no download. */
function imagePart(url: unknown): DoorPart {
  if (typeof url === 'string' && /^data:image\/[^,]*;base64,/i.test(url.slice(0, 1_024))) {
    return filePart({ file_data: url });
  }
  const why =
    'an image has to be a data URL such as data:image/png;base64,…, because this server stores and fetches no files';
  throw invalidField('messages', why);
}

const DATA_URL = /^data:([^;,]*)([^,]*),/i;

function filePart({ filename, file_data: data, file_id: id, file_url: url }: WirePart): DoorPart {
  if (typeof data !== 'string' || id !== undefined || url !== undefined) {
    const why = 'a file has to hold its content in file_data, because this server stores and fetches no files';
    throw invalidField('messages', why);
  }
  const name = typeof filename === 'string' ? { name: filename } : {};
  const [head = '', mediaType = '', parameters = ';base64'] = DATA_URL.exec(data.slice(0, 1_024)) ?? [];
  const content = data.slice(head.length);
  return {
    ...{ type: 'file', ...name, mediaType: mediaType || 'application/octet-stream' },
    data: /;base64$/i.test(parameters) ? Buffer.from(content, 'base64') : percentDecoded(content),
  };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidField('messages', 'the data URL of a file is not percent-encoded UTF-8');
  }
}
