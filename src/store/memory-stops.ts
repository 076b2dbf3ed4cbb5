import type { Stored } from './port.ts';
import type { StopRequest, StopTable } from './stop-table.ts';
import type { Watchers } from './watchers.ts';

/** Requests to end runs of this process. */
export function memoryStops(
  { open, write }: { readonly open: () => void; readonly write: (apply: () => void) => Stored },
  watchers: Watchers,
): StopTable {
  const requests = new Map<string, StopRequest>();
  return {
    put: (runId, request) =>
      write(() => {
        requests.set(runId, request);
        watchers.requested(runId, request);
      }),
    async get(runId) {
      open();
      return requests.get(runId);
    },
    delete: (runId) => write(() => void requests.delete(runId)),
    watch(runId, onRequest) {
      const request = requests.get(runId);
      if (request !== undefined) onRequest(request);
      return watchers.watchStop(runId, onRequest);
    },
  };
}
