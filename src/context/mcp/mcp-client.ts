/** The parts of an MCP client that are used: those of the official one, and of any other with these methods. */
export interface McpClient {
  readResource(params: { uri: string }, options?: McpRequestOptions): Promise<object>;
  /** Needed for several resources. The official client takes all pages at once where no cursor is given. */
  listResources?(params?: { cursor: string }, options?: McpRequestOptions): Promise<object>;
}

/** Options of one request. */
export interface McpRequestOptions {
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly timeout: number;
}

/** A resource as its server lists it. */
export interface ListedResource {
  readonly uri: string;
}

/** The content of a resource, in bytes. */
export interface ResourceContent {
  readonly uri: string;
  /** Media type; empty where the server names none. */
  readonly type: string;
  readonly bytes: Buffer;
}
