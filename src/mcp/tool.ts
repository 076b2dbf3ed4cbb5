import type { CallToolResult, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { invalidOption } from '../argument-checks.ts';
import { rpcError } from '../door/error-response.ts';
import { RlmError } from '../errors.ts';
import type { ClientRuns } from './client-runs.ts';
import type { McpConfig } from './mcp-options.ts';

/** The surroundings of one call. */
export interface ToolCall {
  readonly config: McpConfig;
  readonly runs: ClientRuns;
  /** The name of the client: it sees its own runs and handles only. */
  readonly client: string;
  /** Fires when the client cancels the call, or is gone. */
  readonly signal: AbortSignal;
  /** Sends a progress message, where the client listens. */
  readonly progress: (message: string) => void;
}

/** The result of a tool. */
export interface ToolOutput {
  /** For a model. */
  readonly text: string;
  /** The same for a program. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A tool as the server lists and calls it. */
export interface Tool {
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
  readonly call: (given: unknown, call: ToolCall) => Promise<ToolOutput>;
}

/** Declares a tool. Arguments that its schema does not know are refused, so that a wrong name is noticed. */
export function tool<I extends z.ZodRawShape, O extends z.ZodRawShape>(declared: {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: I;
  readonly output: O;
  readonly annotations: ToolAnnotations;
  readonly call: (args: z.infer<z.ZodObject<I>>, call: ToolCall) => Promise<ToolOutput>;
}): Tool {
  const { name, title, description, annotations } = declared;
  const input = z.strictObject(declared.input);
  return {
    name,
    definition: {
      name,
      title,
      description,
      annotations,
      inputSchema: schemaOf(input),
      outputSchema: schemaOf(z.object(declared.output)),
    },
    call: async (given, call) => {
      const parsed = input.safeParse(given ?? {});
      if (!parsed.success) throw wrongArguments(name, parsed.error);
      return await declared.call(parsed.data as z.infer<z.ZodObject<I>>, call);
    },
  };
}

/** The dialect is that of the protocol, and the bounds of every whole number say nothing: both would cost each client tokens. */
function schemaOf(shape: z.ZodType): Readonly<Record<string, unknown>> {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // Clients that map schemas to one type a field reject lists of types, and take alternatives.
      if (Array.isArray(jsonSchema.type)) {
        jsonSchema.anyOf = jsonSchema.type.map((type) => ({ type }) as typeof jsonSchema);
        delete jsonSchema.type;
      }
    },
  });
  return schema;
}

function wrongArguments(name: string, { issues }: z.ZodError): RlmError {
  const [first] = issues;
  const param = first?.path.join('.') || undefined;
  const { message } = invalidOption(
    `The arguments of ${name} are wrong: ${param === undefined ? '' : `${param}: `}${first?.message ?? 'they are not an object'}`,
  );
  return new RlmError({
    code: 'invalid-option',
    message,
    userAction: true,
    data: { tool: name, ...(param !== undefined && { param }) },
  });
}

/** The key of a result's `_meta` that has the error of a tool: its JSON-RPC code, message and data. */
const ERROR_META = 'fathom-rlm/error';

/** The result of a tool that failed: its message for a model, the code and data of the error table for a program. */
export function failedResult(thrown: unknown): CallToolResult {
  const error = rpcError(thrown);
  const data = JSON.parse(JSON.stringify(error.data)) as Record<string, unknown>;
  return {
    isError: true,
    content: [{ type: 'text', text: `${error.message}\n${JSON.stringify(data)}` }],
    _meta: { [ERROR_META]: { ...error, data } },
  };
}

/** The progress of one request, where its client asked for it: a message at once when it changes, and one now and then. */
export function progressOf({ mcpReq }: ServerContext, begun: number): (message: string) => void {
  const token = mcpReq._meta?.progressToken;
  if (token === undefined) return () => undefined;
  let last = 0;
  return (message) => {
    // The protocol asks for a number that grows with each message.
    last = Math.max(last + 0.001, (performance.now() - begun) / 1_000);
    const params = { progressToken: token, progress: Math.round(last * 1_000) / 1_000, message };
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined); // The connection has gone.
  };
}

/** Repeats a progress message until the work has ended. */
export async function reporting<T>(
  { config, progress }: ToolCall,
  message: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setInterval(() => progress(message()), config.limits.progressMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
