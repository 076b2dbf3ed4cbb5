/** Counts the characters that built-ins look at while a function runs: proof of linear work without a clock. */

type Method = (this: unknown, ...values: never[]) => unknown;
type Cost = (subject: string, values: readonly unknown[], result: unknown) => number;

const whole: Cost = (subject) => subject.length;
const one: Cost = () => 1;
const forward: Cost = (subject, [, from], found) =>
  (found === -1 ? subject.length : Number(found)) - Math.max(0, Number(from ?? 0)) + 1;
const backward: Cost = (subject, [, from], found) =>
  Math.min(subject.length, Number(from ?? subject.length)) - Number(found);
const short: Cost = (_subject, [needle]) => String(needle).length;

/** A slice shares its text with the whole, so it costs nothing more than a step. */
const STRING_COSTS: Readonly<Record<string, Cost>> = {
  indexOf: forward,
  lastIndexOf: backward,
  includes: whole,
  charAt: one,
  charCodeAt: one,
  startsWith: short,
  endsWith: short,
  slice: one,
  trim: whole,
  split: whole,
  replace: whole,
  replaceAll: whole,
  search: whole,
  toLowerCase: whole,
};

/** The number of characters that the methods of `String` and `RegExp` read while `run` runs. */
export function countWork(run: () => void): number {
  let work = 0;
  const restore: (() => void)[] = [];
  const wrap = (
    target: object,
    name: string,
    cost: (self: unknown, values: readonly unknown[], result: unknown, before: number) => number,
  ): void => {
    const original = Reflect.get(target, name) as Method;
    Reflect.set(target, name, function wrapped(this: unknown, ...values: never[]) {
      const before = this instanceof RegExp ? this.lastIndex : 0;
      const result = original.apply(this, values);
      work += cost(this, values, result, before);
      return result;
    });
    restore.push(() => void Reflect.set(target, name, original));
  };
  for (const [name, cost] of Object.entries(STRING_COSTS))
    wrap(String.prototype, name, (self, values, result) => Math.max(1, cost(String(self), values, result)));
  for (const name of ['exec', 'test']) {
    wrap(RegExp.prototype, name, (self, [text], _result, before) => regExpCost(self as RegExp, String(text), before));
  }
  try {
    run();
  } finally {
    for (const undo of restore) undo();
  }
  return work;
}

/** A sticky pattern looks at one place; a global one continues from there; any other begins at the start. */
function regExpCost({ sticky, global, lastIndex }: RegExp, text: string, before: number): number {
  const end = lastIndex === 0 ? text.length : lastIndex;
  if (sticky) return lastIndex === 0 ? 1 : lastIndex - before + 1;
  return global ? end - before + 1 : text.length + 1;
}
