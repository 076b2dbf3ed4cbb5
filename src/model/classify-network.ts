import type { AttemptSetup, ProviderAdvice } from './attempt-setup.ts';
import type { WireFacts } from './attempt-watch.ts';
import { ModelError } from './model-error.ts';
import { failedHandshake } from './wire/connections.ts';

type Setup = Pick<AttemptSetup, 'modelId' | 'advice'>;

/** Nothing was sent: the connection was never there. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);
/** The connection went away after the request may have been sent. */
const RESET: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_INFO',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** How undici says that a proxy did not get through; a refusal with 4xx is final. */
const PROXY_FAILED = /^Proxy response \(5\d\d\)/;

/** A failure of the connection, found by its code anywhere in the chain of causes; undefined for another failure. */
export function classifyNetworkError(error: unknown, setup: Setup, wire: WireFacts): ModelError | undefined {
  const { modelId } = setup;
  for (let current = error, depth = 0; current instanceof Error && depth < 10; current = current.cause, depth++) {
    const code = codeOf(current);
    if (PROXY_FAILED.test(current.message)) return unreachable(current.message, setup, wire);
    if (failedHandshake(current)) return unreachable(code ?? current.name, setup, wire);
    if (code === undefined) continue;
    if (UNREACHABLE.has(code)) return unreachable(code, setup, wire);
    if (RESET.has(code) || code.startsWith('HPE_') || code.startsWith('Z_')) return reset(code, modelId, wire);
  }
  return undefined;
}

function codeOf(error: Error): string | undefined {
  const { code } = error as Error & { code?: unknown };
  if (typeof code === 'string') return code;
  // undici does not always name what its parser met.
  if (error.name === 'HTTPParserError') return 'HPE_INVALID';
  // Several addresses were tried: the first failure speaks for all.
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? codeOf(first) : undefined;
}

/** `wire.host` is the model's host: behind a proxy it is the proxy that could not be reached. */
function unreachable(code: string, { modelId, advice }: Setup, wire: WireFacts): ModelError {
  const host = wire.host ?? 'its host';
  const why = code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'its name cannot be resolved' : 'no connection';
  return new ModelError({
    fault: 'unreachable',
    message: `${modelId} cannot be reached at ${host}: ${why} (${code})${adviceOn(advice, code)}.`,
    data: { host, networkCode: code },
  });
}

/** A name that does not resolve, or a server that closes the connection: starting one would not help. */
const NOT_STARTED: ReadonlySet<string> = new Set(['ENOTFOUND', 'ECONNRESET']);

function adviceOn(advice: ProviderAdvice | undefined, code: string): string {
  const proxy = advice?.proxy === undefined ? '' : `; the request goes through the proxy in ${advice.proxy}`;
  const start = advice?.start === undefined || NOT_STARTED.has(code) ? '' : `; ${advice.start}`;
  return `${proxy}${start}`;
}

function reset(code: string, modelId: string, wire: WireFacts): ModelError {
  const when = wire.answered ? 'in the middle of the reply' : 'before the reply began';
  const host = wire.host ?? 'the provider';
  return new ModelError({
    fault: wire.answered ? 'truncated' : 'reset',
    message: `The connection of ${modelId} to ${host} was lost ${when} (${code}).`,
    possiblyBilled: true,
    data: { host, networkCode: code, received: wire.bytes },
  });
}
