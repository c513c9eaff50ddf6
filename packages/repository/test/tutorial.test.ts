import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createProject } from 'create-rmap-strategy';
import { execa } from 'execa';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { leaveOut, typeIn } from './tutorial.js';
import { link, packages, root, scratch } from './workspace.js';

const page = join(root, 'docs/writing-a-strategy.md');

/** After a change of what the commands print: `npx vitest run --project repository tutorial -u`. */
test('docs/writing-a-strategy.md can be followed, and shows what its commands print', { timeout: 300_000 }, async () => {
  const directory = scratch();
  createProject({ directory, name: 'my-design', description: 'Families.', template: 'skeleton' });
  link(directory, Object.fromEntries(packages.map((each) => [each.manifest.name, each.directory])));
  const file = join(directory, 'src/strategy.ts');
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const run = async (command: string): Promise<string> => {
    mkdirSync(join(directory, 'dist'), { recursive: true });
    for (const name of ['index', 'strategy']) {
      const source = readFileSync(join(directory, `src/${name}.ts`), 'utf8');
      writeFileSync(join(directory, `dist/${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
    }
    const [, name, args] = /^npx (\S+) (.*)$/.exec(command) ?? [];
    const main = join(root, name === 'rmap-lab' ? 'apps/cli' : 'packages/conformance-suite', 'dist/main.js');
    const env = { NO_COLOR: '1', INIT_CWD: directory };
    const { stdout, stderr } = await execa({ cwd: directory, env, reject: false })`node ${main} ${args.split(' ')}`;
    return `${stdout}${stderr}`.replace(/in \d+\.\d s/, 'in a moment');
  };

  const blocks = /^```(ts|sh|text)\n([\s\S]*?)^```$/gm;
  const text = readFileSync(page, 'utf8');
  let followed = '';
  let command = '';
  let printed = '';
  let end = 0;
  for (const { index, 0: whole, 1: kind, 2: body } of text.matchAll(blocks)) {
    const before = text.slice(end, index);
    for (const [, field] of before.matchAll(/Leave out the field\s+`(\w+)`/g)) writeFileSync(file, leaveOut(read(file), field));
    end = index + whole.length;
    followed += before;
    if (kind === 'ts') writeFileSync(file, typeIn(read(file), body));
    if (kind === 'sh') command = body.trimEnd();
    if (kind === 'text') printed = await run(command);
    followed += kind === 'text' && gist(printed) !== gist(body) ? `\`\`\`text\n${printed.trimEnd()}\n\`\`\`` : whole;
  }
  await expect(followed + text.slice(end)).toMatchFileSnapshot(page);
  expect(printed).toContain('my-design conforms');
  link(directory, { '@types/node': join(root, 'node_modules/@types/node') });
  const config = { extends: '@rmap-lab/config/tsconfig.json', include: ['src'] };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
  const types = await execa({
    cwd: directory,
    preferLocal: true,
    localDir: join(root, 'packages/repository'),
    reject: false,
  })`typecheck`;
  expect(types.stdout).toBe('');
});

/** Searches find other schedules of the same failure, which are not what the page is about. */
const gist = (output: string): string => output.trimEnd().replace(/^schedule:[\s\S]*?(?=^again:)/m, '');

const read = (file: string): string => readFileSync(file, 'utf8');
