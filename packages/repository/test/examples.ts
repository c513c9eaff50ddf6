import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packages, root } from './workspace.js';

export interface Readme {
  /** The package's name, or the repository's. */
  readonly of: string;
  /** Of nothing that goes to the registry. */
  readonly isPrivate: boolean;
  /** Each `ts` block, a program by itself. */
  readonly programs: readonly string[];
  /** Each line of an `sh` block that calls a command of ours. */
  readonly commands: readonly string[];
}

/** The README of the repository and of every package. */
export const readmes: readonly Readme[] = [
  { of: 'rmap-lab', isPrivate: true, path: join(root, 'README.md') },
  ...packages.map(({ manifest, directory }) => ({
    of: manifest.name,
    isPrivate: manifest.private ?? false,
    path: join(directory, 'README.md'),
  })),
]
  .filter(({ path }) => existsSync(path))
  .map(({ of, isPrivate, path }) => {
    const text = readFileSync(path, 'utf8');
    return {
      of,
      isPrivate,
      programs: blocks(text, 'ts'),
      commands: blocks(text, 'sh').flatMap((block) => block.match(/^rmap-lab .*$/gm) ?? []),
    };
  });

function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]);
}
