import { readFileSync } from 'node:fs';
import { cases } from '@rmap-lab/conformance-suite';
import type { Kept } from '../src/matrix-report.js';

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));

/** What `npm run -s mutants -- --keep` wrote. */
export const matrix = read('kills.json') as Kept;

/** By mutant: a case that kills it, with at most 3 preemptions. */
export const killers = read('killers.json') as Readonly<Record<string, string>>;

/** All must-cases, and those of them that kill a mutant. */
export function mustCases(): { readonly all: readonly string[]; readonly killing: readonly string[] } {
  const known = new Set([...Object.keys(matrix.kills), ...Object.values(killers)]);
  const all = cases.filter(({ strength }) => strength === 'must').map(({ id }) => id);
  return { all, killing: all.filter((id) => known.has(id)) };
}
