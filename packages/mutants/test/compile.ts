import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from '../src/mutant.js';
import { patchedSources, pathOf } from '../src/source.js';

const here = fileURLToPath(new URL('..', import.meta.url));
const packages = dirname(here);

/**
 * What the compiler says against mutants. It is told of all at once, in a copy of the strategies: each changed file stands beside the
 * one that it was made of, under a name of its own.
 */
export function compilerErrors(mutants: readonly Mutant[]): readonly string[] {
  const files = new Map(mutants.flatMap((mutant, i) => [...besideTheirOriginals(mutant, `mutant-${i}`)]));
  const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-mutants-'));
  try {
    for (const strategy of ['strategy-anon-vma', 'strategy-anon-vma-lazy', 'strategy-cow-context']) {
      for (const part of ['src', 'package.json'])
        cpSync(join(packages, strategy, part), join(scratch, strategy, part), { recursive: true });
      symlinkSync(join(packages, strategy, 'node_modules'), join(scratch, strategy, 'node_modules'), 'dir');
    }
    for (const [path, text] of files) writeFileSync(join(scratch, path), text);
    const config = {
      extends: join(here, 'tsconfig.json'),
      // A mutant may leave something unused.
      compilerOptions: {
        typeRoots: [join(packages, '../node_modules/@types')],
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      include: [],
      files: [...files.keys()],
    };
    writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(config));
    const { status, stdout } = spawnSync(join(here, 'node_modules/.bin/typecheck'), ['-p', scratch], {
      cwd: scratch,
      encoding: 'utf8',
    });
    const said = stdout.split('\n').filter((line) => line !== '');
    return status === 0 || said.length > 0 ? said : [`the compiler ended with status ${status}`];
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The changed files of a mutant, which import each other where they import what is changed; by their paths below `packages`. */
function besideTheirOriginals(mutant: Mutant, suffix: string): ReadonlyMap<string, string> {
  const sources = [...patchedSources(mutant)].map(([name, text]) => [pathOf(name), text] as const);
  const stems = sources.map(([path]) => basename(path, '.ts'));
  const imported = new RegExp(`(from '\\./)(${stems.join('|')})(\\.js')`, 'g');
  return new Map(
    sources.map(([path, text]) => [
      relative(packages, path).replace(/\.ts$/, `.${suffix}.ts`),
      text.replaceAll(imported, `$1$2.${suffix}$3`),
    ]),
  );
}
