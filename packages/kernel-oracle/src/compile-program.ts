import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, cacheFolder } from './compile.js';

/** Compiles one C file with gcc at first use, into the user's cache folder; the program's path. @throws CannotObserve */
export async function compileProgram(source: string): Promise<string> {
  const name = basename(source, '.c');
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const program = join(await cacheFolder(join(name, hash)), name);
  await build(program, 'gcc', ['-O2', source]);
  return program;
}
