import { APICallError, LoadAPIKeyError } from '@ai-sdk/provider';
import { defined } from '../defined.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { AttemptSetup } from './attempt-setup.ts';
import { seconds, type WireFacts } from './attempt-watch.ts';
import { faultOf, readSizes } from './classify-answer.ts';
import { classifyNetworkError } from './classify-network.ts';
import { ModelError, type ModelFault } from './model-error.ts';
import { type ProviderAnswer, readProviderAnswer } from './provider-answer.ts';
import { type HeaderRecord, retryAfterMs, shouldRetry } from './retry-after.ts';

/** Longest quote of a provider's own text in a message. */
const QUOTE_CHARS = 300;

type Setup = Pick<AttemptSetup, 'modelId' | 'clock' | 'redact' | 'advice'>;

/** Turns whatever an attempt failed with into a {@link ModelError}. */
export function classifyFailure(error: unknown, setup: Setup, wire: WireFacts): ModelError {
  if (ModelError.isInstance(error)) return error;
  if (RlmError.isInstance(error)) return unknownFailure(error, setup);
  if (LoadAPIKeyError.isInstance(error)) {
    return new ModelError({ fault: 'key', message: `${setup.modelId}: ${setup.redact(messageOf(error))}` });
  }
  if (APICallError.isInstance(error) && error.statusCode !== undefined && (error.statusCode >= 300 || hasBody(error))) {
    return classifyStatus(error.statusCode, error.responseBody ?? error.data, error.responseHeaders ?? {}, setup);
  }
  const network = classifyNetworkError(error, setup, wire);
  if (network !== undefined) return network;
  return classifyStreamError(error, setup, wire);
}

function hasBody(error: APICallError): boolean {
  return readProviderAnswer(error.responseBody ?? error.data) !== undefined;
}

/** A response whose status or body says that it failed. */
export function classifyStatus(status: number, body: unknown, headers: HeaderRecord, setup: Setup): ModelError {
  const answer = readProviderAnswer(body);
  const effective = answer?.status ?? status;
  const said = quote(setup, answer?.message ?? (typeof body === 'string' ? body : ''));
  if (effective >= 300 && effective < 400) {
    const location = headers.location === undefined ? '' : ` to ${setup.redact(hostOf(headers.location))}`;
    return new ModelError({
      fault: 'redirect',
      message: `${setup.modelId} answered with a redirect (HTTP ${status})${location}, which is not followed for a POST; set the provider's base URL to the final address.`,
      httpStatus: status,
    });
  }
  const httpStatus = effective >= 400 ? effective : undefined;
  return failed(faultOf(httpStatus, answer), { status: httpStatus, said, answer, headers }, setup);
}

/** The server behind a gateway that failed. */
function behind(answer: ProviderAnswer | undefined, setup: Setup): string {
  if (answer?.upstream === undefined) return '';
  return `, by its upstream ${setup.redact(answer.upstream).slice(0, QUOTE_CHARS)}`;
}

function named(answer: ProviderAnswer, setup: Setup): string {
  return setup.redact(answer.named).slice(0, QUOTE_CHARS).toLowerCase();
}

interface Failed {
  readonly status: number | undefined;
  readonly said: string;
  readonly answer: ProviderAnswer | undefined;
  readonly headers: HeaderRecord;
}

function failed(fault: ModelFault, facts: Failed, setup: Setup): ModelError {
  const { status, said, answer, headers } = facts;
  const wait = retryAfterMs(headers, setup.clock.now()) ?? answer?.retryAfterMs;
  const verdict = shouldRetry(headers);
  const sizes = fault === 'context-length' ? readSizes(answer) : undefined;
  const overridable = fault === 'server' || fault === 'overloaded' || fault === 'rate-limit' || fault === 'bad-request';
  return new ModelError({
    fault,
    message: sentence(fault, facts, setup, wait, sizes) + behind(answer, setup) + said,
    ...defined({ retryable: overridable ? verdict : undefined, retryAfterMs: wait, httpStatus: status }),
    // A gateway that gave up waiting does not know whether the model answered.
    possiblyBilled: status === 408 || status === 504 || status === 524,
    data: {
      // Redacted as it was written: in lower case a key would not be found.
      ...(answer === undefined || answer.named === '' ? {} : { provider: named(answer, setup) }),
      ...(answer?.upstream === undefined ? {} : { upstream: setup.redact(answer.upstream).slice(0, QUOTE_CHARS) }),
      ...defined({ limit: sizes?.limit, size: sizes?.size }),
    },
  });
}

function sentence(
  fault: ModelFault,
  { status }: Failed,
  { modelId, advice }: Setup,
  wait: number | undefined,
  sizes: { limit: number | undefined; size: number | undefined } | undefined,
): string {
  const http = status === undefined ? '' : ` (HTTP ${status})`;
  switch (fault) {
    case 'rate-limit':
      return `${modelId} is rate limited${http}${wait === undefined ? '' : `, asks to wait ${seconds(wait)}`}`;
    case 'quota':
      return `The quota or credit for ${modelId} is used up${http}: add credit or change the plan, then resume the run`;
    case 'key':
      return `The key for ${modelId} was not accepted${http}: set a valid key${advice?.keyVariable === undefined ? '' : ` in ${advice.keyVariable}`}, then resume the run`;
    case 'model':
      return `The provider does not know the model ${modelId}${http}: check its name and the base URL${advice === undefined ? '' : ` ${advice.baseUrl}`}`;
    case 'context-length': {
      const size = sizes?.size === undefined ? 'The request' : `A request of ${sizes.size} tokens`;
      const limit = sizes?.limit === undefined ? 'its limit' : `its limit of ${sizes.limit} tokens`;
      return `${size} is too long for ${modelId}${http}, above ${limit}: send less or split it`;
    }
    case 'refused':
      return `${modelId} refused the request${http}`;
    case 'bad-request':
      return `${modelId} did not accept the request${http}`;
    case 'overloaded':
      return `${modelId} is overloaded${http}`;
    default:
      return `${modelId} failed${http}`;
  }
}

/** An `error` part of a stream, or what a model object threw without a status. */
function classifyStreamError(error: unknown, setup: Setup, wire: WireFacts): ModelError {
  const name = error instanceof Error ? error.name : '';
  const event = eventOf(error);
  if (event === undefined && (name === 'AI_JSONParseError' || name === 'AI_TypeValidationError')) {
    return malformed(error, setup);
  }
  if (
    name === 'AI_InvalidResponseDataError' ||
    name === 'AI_EmptyResponseBodyError' ||
    name === 'AI_NoContentGeneratedError'
  ) {
    return new ModelError({
      fault: 'truncated',
      message: `The reply of ${setup.modelId} broke off${quote(setup, messageOf(error))}`,
      possiblyBilled: true,
    });
  }
  if (event !== undefined) {
    const model = failed(
      faultOf(event.status, event),
      { status: event.status, said: quote(setup, event.message), answer: event, headers: wire.headers ?? {} },
      setup,
    );
    return wire.answered ? model.with({ possiblyBilled: true }) : model;
  }
  // The SDK has begun to read, so the response was not in a form it knows.
  return wire.bytes > 0 ? malformed(error, setup) : unknownFailure(error, setup);
}

function malformed(error: unknown, setup: Setup): ModelError {
  return new ModelError({
    fault: 'malformed',
    message: `${setup.modelId} sent a piece of its reply that cannot be read${quote(setup, messageOf(error))}`,
    possiblyBilled: true,
  });
}

/** An error event as the SDK passes it on: the provider's own object, or an error that carries it. */
function eventOf(error: unknown): ProviderAnswer | undefined {
  if (typeof error === 'string') return readProviderAnswer({ error });
  if (!(error instanceof Error)) return readProviderAnswer(error);
  // A value that the SDK could not read may be an error in another form than the one it knows.
  if (error.name === 'AI_TypeValidationError') return readProviderAnswer((error as { readonly value?: unknown }).value);
  const { type, code, statusCode, data } = error as Error & Record<'type' | 'code' | 'statusCode' | 'data', unknown>;
  if (type === undefined && statusCode === undefined && data === undefined) return undefined;
  const inner = readProviderAnswer(data);
  const outer = readProviderAnswer({ message: error.message, type, code, statusCode });
  return inner === undefined || outer === undefined
    ? (inner ?? outer)
    : { ...inner, named: `${inner.named} ${outer.named}`, names: `${inner.names} ${outer.names}` };
}

function unknownFailure(error: unknown, setup: Setup): ModelError {
  return new ModelError({
    fault: 'unknown',
    message: `${setup.modelId} failed${quote(setup, messageOf(error))}`,
    retryable: typeof error === 'object' && error !== null && (error as { isRetryable?: unknown }).isRetryable === true,
    cause: error,
  });
}

function quote(setup: Setup, text: string): string {
  const line = setup.redact(text).replace(/\s+/g, ' ').trim();
  if (line === '') return '.';
  const short = line.length > QUOTE_CHARS ? `${line.slice(0, QUOTE_CHARS)}…` : line;
  return `: ${short}${/[.!?…]$/.test(short) ? '' : '.'}`;
}

function hostOf(location: string): string {
  return URL.parse(location)?.host ?? 'another path';
}
