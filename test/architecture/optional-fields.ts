/** The types behind `?:` in a source text of which `undefined` is a part: an optional field is absent or has a value. */
export function optionalUndefined(text: string): readonly string[] {
  return [...text.matchAll(/\w\?:\s*/g)]
    .map(({ index, 0: { length } }) => typeAt(text, index + length))
    .filter((type) => partsOf(type).includes('undefined'));
}

/** The type that begins here: up to what closes or separates it outside of all brackets. */
function typeAt(text: string, start: number): string {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const char = text.charAt(index);
    if ('([{<'.includes(char)) depth += 1;
    const closes = ')]}>'.includes(char) && text.charAt(index - 1) !== '=';
    if ((depth === 0 && (closes || ';,='.includes(char))) || depth < 0) return text.slice(start, index);
    if (closes) depth -= 1;
  }
  return text.slice(start);
}

/** The parts of a union outside of all brackets. */
function partsOf(type: string): readonly string[] {
  let plain = type;
  for (let before = ''; before !== plain; ) {
    before = plain;
    plain = plain.replace(/\([^()]*\)|\[[^[\]]*\]|\{[^{}]*\}|<[^<>]*>/g, '_');
  }
  return plain.split('|').map((part) => part.trim());
}
