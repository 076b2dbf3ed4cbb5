/** Names that the caller or the runtime bound: an answer is seldom one of them. */
const GIVEN = /^(?:context(?:_\d+)?|history)$/;

/** The variable that a wrong name most likely means: the same name in another form, or the only close one. */
export function likelyName(name: string, names: readonly string[]): string | undefined {
  const own = names.filter((candidate) => !GIVEN.test(candidate));
  const wanted = plain(name);
  const same = own.find((candidate) => plain(candidate) === wanted);
  if (same !== undefined) return same;
  const near = own.map((candidate) => ({ candidate, distance: distanceOf(wanted, plain(candidate)) }));
  const [best, second] = near.sort((a, b) => a.distance - b.distance);
  if (best === undefined || best.distance > Math.max(1, Math.floor(wanted.length / 4))) return inEachOther(wanted, own);
  return second?.distance === best.distance ? undefined : best.candidate;
}

/** The one variable there is besides the context. */
export function onlyName(names: readonly string[]): string | undefined {
  const own = names.filter((name) => !GIVEN.test(name));
  return own.length === 1 ? own[0] : undefined;
}

/** The only name that holds the wanted one, or is held by it: `total` for `total_count`. */
function inEachOther(wanted: string, names: readonly string[]): string | undefined {
  if (wanted.length < 3) return undefined;
  const held = names.filter((name) => {
    const text = plain(name);
    return text.length >= 3 && (text.includes(wanted) || wanted.includes(text));
  });
  return held.length === 1 ? held[0] : undefined;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** Longest name that is compared letter by letter. */
const COMPARED_CHARS = 60;

/** Edit distance. */
function distanceOf(left: string, right: string): number {
  if (left.length > COMPARED_CHARS || right.length > COMPARED_CHARS) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const changed = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
