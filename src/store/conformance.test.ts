import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Opened, storeConformance } from './conformance.testing.ts';
import { memoryStore, sqliteStore } from './index.ts';

storeConformance('memory', () => {
  const store = memoryStore();
  return {
    store,
    again: () => Promise.resolve(store),
    beside: () => ({ ...store, close: async () => undefined }),
    end: () => store.close(),
  };
});

storeConformance('sqlite', (): Opened => {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-store-'));
  let store = sqliteStore(folder);
  return {
    get store() {
      return store;
    },
    async again() {
      await store.close();
      store = sqliteStore(folder);
      return store;
    },
    beside: () => sqliteStore(folder),
    async end() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
});
