import { isObject } from '../argument-checks.ts';
import { RlmError } from '../errors.ts';
import { asNumbers, type LostNumber, lostDigits, lostNumbers, parseWithDigits } from '../json-digits.ts';
import { HttpProblem } from './http-problem.ts';
import type { ServerLimits } from './limits.ts';

/** A JSON object from a client. */
export type JsonBody = Readonly<Record<string, unknown>>;

/** The part of a request that its body is read from. */
export interface BodySource {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** Reads bodies, within the bytes of one and of all together. */
export class BodyReader {
  readonly #limits: Pick<ServerLimits, 'bodyBytes' | 'openBodyBytes'>;
  #open = 0;

  constructor(limits: Pick<ServerLimits, 'bodyBytes' | 'openBodyBytes'>) {
    this.#limits = limits;
  }

  /** @throws HttpProblem `body-too-large`, `wrong-media-type`, `malformed-request`; RlmError `overloaded` */
  async json(request: BodySource): Promise<JsonBody> {
    return jsonObject(await this.#jsonText(request), JSON.parse);
  }

  /**
   * {@link BodyReader.json} for bodies with data, none of whose integers may be rounded.
   *
   * @throws the same; RlmError `invalid-option` naming an integer that a number cannot hold
   */
  async exactJson(request: BodySource): Promise<JsonBody> {
    const body = jsonObject(await this.#jsonText(request), parseWithDigits);
    const [lost] = lostNumbers(body);
    if (lost !== undefined) throw roundedNumber(lost);
    return asNumbers(body) as JsonBody;
  }

  async #jsonText(request: BodySource): Promise<string> {
    const { headers } = request;
    if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(headers.get('content-type') ?? '')) {
      throw new HttpProblem('wrong-media-type', 'The body has to be JSON, with "Content-Type: application/json".');
    }
    if (!/^(?:identity)?$/i.test(headers.get('content-encoding') ?? '')) {
      throw new HttpProblem('wrong-media-type', 'The body has to be sent without a Content-Encoding.');
    }
    return await this.#text(request);
  }

  async #text({ headers, body }: BodySource): Promise<string> {
    const { bodyBytes } = this.#limits;
    const announced = Number(headers.get('content-length') ?? 0);
    if (announced > bodyBytes) throw tooLarge(bodyBytes);
    if (body === null) return '';
    let bytes = 0;
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of body) {
        bytes += piece.byteLength;
        this.#open += piece.byteLength;
        if (bytes > bodyBytes) throw tooLarge(bodyBytes);
        if (this.#open > this.#limits.openBodyBytes) throw this.#tooMany();
        pieces.push(piece);
      }
      return UTF8.decode(Buffer.concat(pieces));
    } catch (error) {
      if (error instanceof TypeError) throw new HttpProblem('malformed-request', 'The body is not UTF-8 text.');
      throw error;
    } finally {
      this.#open -= bytes;
    }
  }

  #tooMany(): RlmError {
    const { openBodyBytes } = this.#limits;
    return new RlmError({
      code: 'overloaded',
      message: `The server is reading ${openBodyBytes} bytes of requests (openBodyBytes) and takes no more for now. Try again in 1000 ms.`,
      retryable: true,
      data: { limit: 'openBodyBytes', openBodyBytes, retryAfterMs: 1_000 },
    });
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function tooLarge(bodyBytes: number): HttpProblem {
  const message = `The body is larger than ${bodyBytes} bytes (bodyBytes).`;
  // The rest of the body is not read, so the connection cannot be used again.
  return new HttpProblem('body-too-large', message, { connection: 'close' });
}

function roundedNumber(lost: LostNumber): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message: `The request is not valid: ${lostDigits(lost)}.`,
    userAction: true,
    data: { param: lost.path.split('.')[0] },
  });
}

function jsonObject(text: string, parse: (text: string) => unknown): JsonBody {
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    throw new HttpProblem('malformed-request', 'The body is not valid JSON.');
  }
  if (!isObject(value)) throw new HttpProblem('malformed-request', 'The body has to be a JSON object.');
  return value;
}
