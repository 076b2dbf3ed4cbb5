import type { Run } from '../engine/run.ts';
import type { JsonValue } from '../repl/port.ts';
import { jsonSchemaOf } from '../schema/json-schema.ts';
import type { RunRequest } from '../store/index.ts';
import { recordModels } from './recorded-models.ts';
import { type StoreHandle, storeAttachments, storeContexts, storeSeeds } from './stored-context.ts';

/** A run's request as a store keeps it: enough to ask it again. */
export async function describeRequest(
  run: Run,
  { backend, ...where }: Omit<StoreHandle, 'owner'> & { readonly backend: string },
): Promise<RunRequest> {
  const { models, limits, toolbox, prompt, requireInspection, modelSettings, route } = run;
  return {
    query: run.query,
    contexts: await storeContexts(run.contexts, { ...where, owner: run.id }),
    ...(run.seeds.size > 0 && { seed: await storeSeeds(run.seeds, { ...where, owner: run.id }) }),
    ...(run.attachments !== undefined && {
      attachments: await storeAttachments(run.attachments, { ...where, owner: run.id }),
    }),
    ...recordModels(models, limits.maxDepth),
    tools: [...toolbox.bindings.map(({ name }) => name), ...Object.keys(toolbox.values)],
    backend,
    limits,
    prompt,
    requireInspection,
    ...(Object.keys(modelSettings).length > 0 && { modelSettings }),
    ...(route !== undefined && { route }),
    ...(run.request.evidence !== undefined && { evidence: run.request.evidence }),
    // The caller's own schema: that of an answer with citations is made from it.
    ...(run.request.output !== undefined && { output: (jsonSchemaOf(run.request.output) ?? null) as JsonValue }),
  };
}
