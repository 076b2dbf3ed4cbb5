/** One thing `fathom doctor` looked at. */
export interface Finding {
  readonly name: string;
  /** `ok`: usable; `partly`: usable with less; `missing`: not usable. */
  readonly state: 'ok' | 'partly' | 'missing';
  /** What it is and what it reaches, on one line. */
  readonly summary: string;
  /** What shows it: proofs, timings. */
  readonly details: readonly string[];
  /** What to do about what is missing. */
  readonly advice?: string;
}

/** Findings of one kind. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}
