import { posix } from 'node:path';
import { compileFunction } from 'node:vm';
import * as core from '@rmap-lab/core';
import ts from 'typescript';
import type { Base, Mutant } from './mutant.js';
import { originalOf, patchedSources, pathOf, type SourceName } from './source.js';

type Exports = Record<string, unknown>;

const FACTORY: Readonly<Record<Base, string>> = {
  'anon-vma': 'anonVma',
  'anon-vma-lazy': 'anonVmaLazy',
  'cow-context': 'cowContext',
};

/** The broken strategy: its package's modules, patched, loaded beside the real ones and on the same core. @throws PatchMismatch */
export function strategyOf(mutant: Mutant): core.RmapStrategy {
  const make = loadPatched(mutant)[FACTORY[mutant.base]] as () => core.RmapStrategy;
  return { ...make(), name: mutant.id };
}

function loadPatched(mutant: Mutant): Exports {
  const changed = patchedSources(mutant);
  const loaded = new Map<SourceName, Exports>();
  const load = (name: SourceName): Exports => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const exports: Exports = {};
    loaded.set(name, exports);
    const code = toCommonJs(changed.get(name) ?? originalOf(name));
    const required = (specifier: string): Exports => {
      const file = resolved(name, specifier);
      return file === null ? core : load(file);
    };
    compileFunction(code, ['require', 'exports'], { filename: pathOf(name) })(required, exports);
    return exports;
  };
  return load(`${mutant.base}:strategy.ts`);
}

/** The source file that an import leads to; null: core. */
function resolved(from: SourceName, specifier: string): SourceName | null {
  if (specifier === '@rmap-lab/core') return null;
  const [base, file] = from.split(':') as [Base, string];
  const toFile = (path: string): string => path.replace(/\.js$/, '.ts');
  if (specifier.startsWith('.')) return `${base}:${toFile(posix.join(posix.dirname(file), specifier))}`;
  const [, other, entry] = /^@rmap-lab\/strategy-([\w-]+)\/(\w+)$/.exec(specifier) ?? [];
  if (other === undefined)
    throw new RangeError(`${from} imports '${specifier}', which mutants can't load: only core and strategies`);
  return `${other as Base}:${entry}.ts`;
}

const compiled = new Map<string, string>();

/** Files that no mutant changes are compiled once. */
function toCommonJs(text: string): string {
  let code = compiled.get(text);
  if (code === undefined) {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    code = ts.transpileModule(text, { compilerOptions }).outputText;
    compiled.set(text, code);
  }
  return code;
}
