import { kindOf } from '../argument-checks.ts';
import { type ContextSet, isEmptyContext } from '../context/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import type { Evidence } from '../event/event.ts';
import type { AnswerType } from '../schema/answer-type.ts';
import { CitationChecker } from './check-citations.ts';
import { type AnswerChecks, checkContext } from './check-context.ts';
import { CitedAnswer, citedType } from './cited-answer.ts';
import { NAMED_CITATIONS, NAMED_QUOTE_CHARS } from './limits.ts';
import { sourceTexts } from './source-texts.ts';

/** The demands of a request on its answer, besides a type. */
export interface ReviewRequest {
  readonly evidence?: 'cite';
  readonly checks?: AnswerChecks<never>;
}

/** The answer at the end of a run, without its citations, which are the evidence. */
export interface ReviewedAnswer {
  readonly value: unknown;
  readonly text: string;
  readonly evidence?: Evidence;
}

/** Reviews answers of a run that asks for evidence. */
export interface AnswerReview {
  /** Why an accepted answer has to be repaired, once; undefined where all of its citations are in the context. */
  readonly repair: (value: unknown) => Promise<string | undefined>;
  /** The answer with its checked evidence. */
  readonly settle: (value: unknown, text: string) => Promise<ReviewedAnswer>;
}

/** The answer type of a run with checks or evidence, and its review. @throws RlmError `invalid-option` */
export function reviewAnswers(
  request: ReviewRequest,
  { contexts, type }: { readonly contexts: ContextSet; readonly type: AnswerType | undefined },
): { readonly answerType: AnswerType | undefined; readonly review: AnswerReview | undefined } {
  const { evidence, checks } = request;
  if (evidence !== undefined && evidence !== 'cite')
    throw invalid(`The option evidence has to be 'cite', not ${kindOf(evidence)}`);
  if (checks !== undefined && typeof checks !== 'function')
    throw invalid(`The option checks has to be a function of the answer and the context, not ${kindOf(checks)}`);
  if (checks !== undefined && type === undefined)
    throw invalid('The option checks needs a typed answer: give output as well');
  if (evidence !== undefined && isEmptyContext(contexts))
    throw invalid("evidence: 'cite' needs a context to cite from");
  const checked = type === undefined || checks === undefined ? type : withChecks(type, checks, contexts);
  if (evidence === undefined) return { answerType: checked, review: undefined };
  let checker: Promise<CitationChecker> | undefined;
  const check = async (value: CitedAnswer): Promise<Evidence> => {
    checker ??= sourceTexts(contexts).then((sources) => new CitationChecker(sources));
    return await (await checker).check(value.citations);
  };
  return {
    answerType: citedType(checked),
    review: {
      async repair(value) {
        return value instanceof CitedAnswer ? repairNote(await check(value)) : undefined;
      },
      async settle(value, text) {
        if (!(value instanceof CitedAnswer))
          return { value: type === undefined ? text || undefined : undefined, text, evidence: NO_EVIDENCE };
        const { answer } = value;
        return {
          value: answer,
          text: typeof answer === 'string' ? answer : JSON.stringify(answer),
          evidence: await check(value),
        };
      },
    },
  };
}

const NO_EVIDENCE: Evidence = { verdict: 'unverified', citations: [] };

function repairNote({ citations }: Evidence): string | undefined {
  const missing = citations.filter(({ status }) => status === 'not-found');
  if (missing.length === 0) return undefined;
  const quotes = missing
    .slice(0, NAMED_CITATIONS)
    .map(({ quote }) => JSON.stringify(quote.slice(0, NAMED_QUOTE_CHARS).toWellFormed()));
  const more = missing.length > NAMED_CITATIONS ? ` and ${missing.length - NAMED_CITATIONS} more` : '';
  return `${missing.length} of ${citations.length} citations are not in the context: ${quotes.join(', ')}${more}. Find the passages with code, copy each quote word for word, correct the answer if they do not support it, and answer again. The next answer is taken with the citations it has`;
}

/** The answer type whose values also have to pass the caller's checks. */
function withChecks(type: AnswerType, checks: AnswerChecks<never>, contexts: ContextSet): AnswerType {
  const context = checkContext(contexts);
  const passing = async (checked: Awaited<ReturnType<AnswerType['check']>>): ReturnType<AnswerType['check']> => {
    if (!checked.ok) return checked;
    const errors = await issuesOf(checked.value, checks, context);
    return errors.length === 0 ? checked : { ok: false, errors };
  };
  return {
    ...type,
    check: async (answer) => await passing(await type.check(answer)),
    checkText: async (text) => await passing(await type.checkText(text)),
  };
}

/** No answer passes checks that throw; the reason is their error. */
async function issuesOf(
  value: unknown,
  checks: AnswerChecks<never>,
  context: ReturnType<typeof checkContext>,
): Promise<readonly string[]> {
  try {
    const issues = await checks(value as never, context);
    return issues ?? [];
  } catch (error) {
    return [`the check of the answer itself failed: ${messageOf(error)}`];
  }
}

function invalid(message: string): RlmError {
  return new RlmError({ code: 'invalid-option', message: `${message}.`, userAction: true });
}
