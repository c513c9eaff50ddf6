import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Base, Mutant } from './mutant.js';

const require = createRequire(import.meta.url);

const MANIFESTS: Readonly<Record<Base, string>> = {
  'anon-vma': require.resolve('@rmap-lab/strategy-anon-vma/package.json'),
  'anon-vma-lazy': require.resolve('@rmap-lab/strategy-anon-vma-lazy/package.json'),
  'cow-context': require.resolve('@rmap-lab/strategy-cow-context/package.json'),
};

/** A source file of a strategy, such as `anon-vma:clone.ts`. */
export type SourceName = `${Base}:${string}`;

/** Where a source file is. */
export function pathOf(name: SourceName): string {
  const [base, file] = name.split(':') as [Base, string];
  return join(dirname(MANIFESTS[base]), 'src', file);
}

const originals = new Map<SourceName, string>();

/** A source file as it is. */
export function originalOf(name: SourceName): string {
  const text = originals.get(name) ?? readFileSync(pathOf(name), 'utf8');
  originals.set(name, text);
  return text;
}

/** A mutant does not fit the source that it is to change: one of the two must be brought up to date. */
export class PatchMismatch extends Error {
  override readonly name = 'PatchMismatch';
}

/** The files that a mutant changes, changed. @throws PatchMismatch */
export function patchedSources({ id, base, patches }: Mutant): ReadonlyMap<SourceName, string> {
  const changed = new Map<SourceName, string>();
  for (const [file, find, replace] of patches) {
    const name = (file.includes(':') ? file : `${base}:${file}`) as SourceName;
    const parts = (changed.get(name) ?? originalOf(name)).split(find);
    if (parts.length !== 2)
      throw new PatchMismatch(
        `mutant '${id}': '${find}' stands ${parts.length - 1} times in ${name}, not once; bring its patch up to date`,
      );
    changed.set(name, parts.join(replace));
  }
  return changed;
}
