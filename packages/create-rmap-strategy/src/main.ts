#!/usr/bin/env node
import { basename, relative, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { askDescription, askName, askTemplate, Cancelled } from './ask.js';
import { CannotCreate } from './errors.js';
import { createProject } from './project.js';
import { isTemplate, TEMPLATES } from './template.js';

interface Options {
  readonly name?: string;
  readonly template?: string;
  readonly description?: string;
}

const explained = Object.entries(TEMPLATES).map(([name, what]) => `  ${name.padEnd(10)} ${what}`);

const program = new Command('create-rmap-strategy')
  .description('write a package for a reverse-map design of your own')
  .argument('[folder]', 'where; also the name of the package, unless --name says otherwise')
  .option('--name <name>', 'of the package, such as @team/my-design')
  .addOption(new Option('--template <name>', 'what it starts from').choices(Object.keys(TEMPLATES)))
  .option('--description <sentence>', 'what the design is')
  .addHelpText('after', `\nTemplates:\n${explained.join('\n')}\n\nWhat is not said is asked for, if there is a terminal.`)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .action(create);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof Cancelled) process.exitCode = 130;
  else if (error instanceof CannotCreate) {
    process.stderr.write(`create-rmap-strategy: ${error.message}\n`);
    process.exitCode = 2;
  } else throw error;
}

/** As a shell takes it for one word. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

async function create(folder: string | undefined, { name, template, description }: Options): Promise<void> {
  const asks = process.stdin.isTTY && process.stdout.isTTY;
  const where = folder ?? name ?? (asks ? await askName() : undefined);
  if (where === undefined) throw new CannotCreate('say where: npm create rmap-strategy my-design');
  const directory = resolve(process.env.INIT_CWD ?? process.cwd(), where.replace(/^@[^/]*\//, ''));
  const called = name ?? (where.startsWith('@') ? where : basename(directory));
  const usual = 'A reverse-map design for rmap-lab.';
  const from = template ?? (asks ? await askTemplate() : 'skeleton');
  const about = description ?? (asks ? await askDescription(usual) : usual);
  if (!isTemplate(from)) throw new CannotCreate(`there is no template '${from}'`);
  createProject({ directory, name: called, description: about, template: from });
  process.stdout.write(`${called} is in ${directory}. Next:

  cd ${quoted(relative(process.cwd(), directory) || '.')}
  npm install
  npm test                 one test for each case of the conformance suite
  npm run conformance      the same as a report, with counts by level
  npm run compare          what it costs, beside the design of Linux

The README there says how to go on.
`);
}
