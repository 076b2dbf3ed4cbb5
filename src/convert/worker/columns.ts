/** Names for columns: each once, none empty. */
export function columnNames(heads: readonly string[]): string[] {
  const taken = new Set<string>();
  return heads.map((head, at) => {
    const wanted = head.trim().replaceAll(/\s+/g, ' ') || `column ${at + 1}`;
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = `${wanted} ${number}`;
    taken.add(name);
    return name;
  });
}

/** A row with a value in each column. */
export function filledRow<T>(row: readonly T[], width: number): readonly (T | null)[] {
  return Array.from({ length: width }, (_, at) => row[at] ?? null);
}
