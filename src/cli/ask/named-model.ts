import { RlmError } from '../../errors.ts';
import type { Console } from '../screen/console.ts';

/** The model `-m`, else FATHOM_MODEL names. */
export function namedModel(given: string | undefined, env: Console['env']): string | undefined {
  const model = given ?? env.FATHOM_MODEL?.trim();
  return model === '' ? undefined : model;
}

/** The same. @throws RlmError `invalid-option` when none is named */
export function requiredModel(given: string | undefined, env: Console['env']): string {
  const model = namedModel(given, env);
  if (model === undefined) throw noModel();
  return model;
}

/** No model is named, and one is needed. */
export function noModel(): RlmError {
  return new RlmError({
    code: 'invalid-option',
    message:
      'No model is named: give -m provider/model, e.g. -m openai/gpt-5-mini or -m ollama/qwen3, or set FATHOM_MODEL. `fathom doctor` shows which keys are set.',
    userAction: true,
  });
}
