/** The page of a store, served as `fathom view` serves it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Store, sqliteStore } from '../../src/index.ts';
import { startViewServer } from '../../src/server/page/view-server.ts';

/** A server of a store. */
export interface ServedPage {
  readonly store: Store;
  readonly url: string;
  readonly token: string;
  /** The address of a place of the page, with the token. */
  readonly open: (route?: string) => string;
  /** Actions that the page asked for. */
  readonly acts: readonly (readonly [action: string, id: string])[];
}

/** Serves a store until the test ends. */
export async function servePage(): Promise<ServedPage> {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = sqliteStore(folder);
  onTestFinished(() => store.close());
  const acts: [string, string][] = [];
  const server = await startViewServer({
    shown: {
      store,
      act: (action, id) => {
        acts.push([action, id]);
        return Promise.resolve();
      },
    },
    port: 0,
    onError: (error) => console.error(error),
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const open = (route = '/'): string => `${server.url}/#token=${server.token}${route}`;
  return { store, url: server.url, token: server.token, open, acts };
}
