import pc from 'picocolors';

/** Functions that colour a text, or leave it as it is. */
export type Colors = ReturnType<typeof pc.createColors>;

/** An output stream: the part of `process.stdout` that the command uses. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** False when the reader is slow: the next write waits for `drain`. */
  write(text: string): unknown;
  on?(event: string, listener: () => void): unknown;
  off?(event: string, listener: () => void): unknown;
}

/** The streams and environment of a command. */
export interface Console {
  readonly stdin: NodeJS.ReadStream & { readonly fd: number };
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether lines can be redrawn on this stream. */
export function isInteractive(stream: TextStream, env: Console['env']): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** Colours for a stream: none when it is not a terminal or `NO_COLOR` is set (no-color.org). */
export function colorsFor(stream: TextStream, env: Console['env']): Colors {
  return pc.createColors(isInteractive(stream, env) && (env.NO_COLOR ?? '') === '');
}
