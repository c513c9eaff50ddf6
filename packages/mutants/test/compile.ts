import { readFileSync } from 'node:fs';
import ts from 'typescript';
import type { Base, Mutant } from '../src/mutant.js';
import { patchedSources, pathOf, type SourceName } from '../src/source.js';

const BASES: readonly Base[] = ['anon-vma', 'anon-vma-lazy', 'cow-context'];
/** A mutant may leave something unused. */
const UNUSED = new Set([6133, 6192, 6196, 6198]);

/**
 * What the compiler says against mutants. It is told of many at once that change different files, as each look at all strategies
 * costs the same.
 */
export function compilerErrors(mutants: readonly Mutant[]): readonly string[] {
  const check = compiler();
  const batches: Map<SourceName, string>[] = [];
  for (const mutant of mutants) {
    const sources = patchedSources(mutant);
    const batch = batches.find((files) => [...sources.keys()].every((name) => !files.has(name)));
    if (batch === undefined) batches.push(new Map(sources));
    else for (const [name, text] of sources) batch.set(name, text);
  }
  return batches.flatMap(check);
}

function compiler(): (files: ReadonlyMap<SourceName, string>) => readonly string[] {
  const roots = BASES.map((base) => pathOf(`${base}:strategy.ts`));
  const config = ts.readConfigFile(new URL('../tsconfig.json', import.meta.url).pathname, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, new URL('..', import.meta.url).pathname);
  let changed = new Map<string, string>();
  let version = 0;
  const versions = new Map<string, number>();
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getCompilationSettings: () => options,
    getScriptFileNames: () => roots,
    getScriptVersion: (path) => String(versions.get(path) ?? 0),
    getScriptSnapshot: (path) =>
      ts.sys.fileExists(path) ? ts.ScriptSnapshot.fromString(changed.get(path) ?? readFileSync(path, 'utf8')) : undefined,
    getCurrentDirectory: () => process.cwd(),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  });
  return (files) => {
    const before = changed;
    changed = new Map([...files].map(([name, text]) => [pathOf(name), text]));
    version++;
    for (const path of [...before.keys(), ...changed.keys()]) versions.set(path, version);
    return [...changed.keys()]
      .flatMap((path) => [...service.getSyntacticDiagnostics(path), ...service.getSemanticDiagnostics(path)])
      .filter(({ code }) => !UNUSED.has(code))
      .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  };
}
