import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CannotCreate } from './errors.js';
import { manifestOf } from './manifest.js';
import { checkName, functionName, shortName } from './names.js';
import type { Template } from './template.js';

/** What package to make, and where. */
export interface Project {
  /** A folder that is empty, or not there yet. */
  readonly directory: string;
  /** The package's name, perhaps with a scope. */
  readonly name: string;
  readonly description: string;
  readonly template: Template;
}

const templates = fileURLToPath(new URL('../template', import.meta.url));

/** Writes a strategy package. Nothing is overwritten. @throws CannotCreate */
export function createProject({ directory, name, description, template }: Project): void {
  checkName(name);
  checkDirectory(directory);
  const words: Readonly<Record<string, string>> = {
    'my-package': name,
    'my-strategy': shortName(name),
    myStrategy: functionName(name),
    MyStrategy: 'Design',
    'My description.': description,
    'THIS YEAR': String(new Date().getFullYear()),
  };
  const files = new Map([['package.json', `${JSON.stringify(manifestOf(name, description), null, 2)}\n`]]);
  for (const source of [join(templates, 'common'), join(templates, template)]) {
    for (const file of filesIn(source)) {
      const text = readFileSync(join(source, file), 'utf8');
      // npm leaves a .gitignore out of what it packs.
      files.set(
        file === '_gitignore' ? '.gitignore' : file,
        text.replace(/my-package|my-strategy|myStrategy|MyStrategy|My description\.|THIS YEAR/g, (word) => words[word]),
      );
    }
  }
  allowed(directory, 'written', () => writeFiles(directory, files));
}

function checkDirectory(directory: string): void {
  if (!existsSync(directory)) return;
  if (!statSync(directory).isDirectory()) throw new CannotCreate(`${directory} is a file; choose another folder`);
  const there = allowed(directory, 'read', () => readdirSync(directory)).filter((name) => name !== '.git');
  if (there.length === 0) return;
  const some = there.slice(0, 3).join(', ');
  throw new CannotCreate(
    `${directory} is not empty (${some}${there.length > 3 ? ', ...' : ''}); choose another folder, or move these away`,
  );
}

function writeFiles(directory: string, files: ReadonlyMap<string, string>): void {
  for (const [file, text] of files) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
}

function allowed<T>(directory: string, what: 'read' | 'written', act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new CannotCreate(`${directory} can't be ${what} (${(error as Error).message}); choose another folder`);
  }
}

/** All files below a folder, named from there. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
