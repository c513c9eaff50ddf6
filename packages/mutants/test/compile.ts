import ts from 'typescript';
import type { Mutant } from '../src/mutant.js';
import { patchedSources, pathOf } from '../src/source.js';

/** A mutant may leave something unused. */
const UNUSED = new Set([6133, 6192, 6196, 6198]);

/**
 * What the compiler says against mutants. It is told of all at once: each changed file stands beside the one that it was made of,
 * under a name of its own.
 */
export function compilerErrors(mutants: readonly Mutant[]): readonly string[] {
  const files = new Map(mutants.flatMap((mutant, i) => [...besideTheirOriginals(mutant, `mutant-${i}`)]));
  const config = ts.readConfigFile(new URL('../tsconfig.json', import.meta.url).pathname, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, new URL('..', import.meta.url).pathname);
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([...files.keys()], options, {
    ...host,
    fileExists: (path) => files.has(path) || host.fileExists(path),
    readFile: (path) => files.get(path) ?? host.readFile(path),
    getSourceFile: (path, language) => {
      const text = files.get(path);
      return text === undefined ? host.getSourceFile(path, language) : ts.createSourceFile(path, text, language);
    },
  });
  return [...files.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      .filter(({ code }) => !UNUSED.has(code))
      .map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  });
}

/** The changed files of a mutant, which import each other where they import what is changed. */
function besideTheirOriginals(mutant: Mutant, suffix: string): ReadonlyMap<string, string> {
  const sources = [...patchedSources(mutant)].map(([name, text]) => [pathOf(name), text] as const);
  const stems = sources.map(([path]) => path.replace(/^.*\/(.*)\.ts$/, '$1'));
  const imported = new RegExp(`(from '\\./)(${stems.join('|')})(\\.js')`, 'g');
  return new Map(
    sources.map(([path, text]) => [path.replace(/\.ts$/, `.${suffix}.ts`), text.replaceAll(imported, `$1$2.${suffix}$3`)]),
  );
}
