import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'es-module-lexer/js';

/**
 * A digest, 16 hexadecimal digits, of what modules say, and of what they import from beside them by relative names: results that were
 * got with others may be others. What they import from packages is not looked at, nor what CommonJS modules require.
 * @param modules URLs; one that is no file's is taken as it is
 */
export function digestOf(modules: Iterable<string>): string {
  const digest = createHash('sha256');
  const seen = new Set(modules);
  // A set goes on to what is added while it is iterated.
  for (const module of seen) {
    const text = textOf(module);
    digest.update(`${(text ?? module).length} ${text ?? module}`);
    if (text !== null) for (const name of relativeImports(text)) seen.add(new URL(name, module).href);
  }
  return digest.digest('hex').slice(0, 16);
}

/** null: it is no file that can be read. */
function textOf(module: string): string | null {
  try {
    return readFileSync(new URL(module), 'utf8');
  } catch {
    return null;
  }
}

/** None of what is no module: the import says what is wrong with it. */
function relativeImports(text: string): readonly string[] {
  try {
    return parse(text)[0].flatMap(({ n: name }) => (name?.startsWith('.') ? name : []));
  } catch {
    return [];
  }
}
