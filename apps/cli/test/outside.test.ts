import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Finished, file, HANG, rmapLab, scratch } from './command.js';

const anonVma = import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js');
const right = `import { anonVma } from ${JSON.stringify(anonVma)};\n`;
/** The classic design, in whose third fork something happens. */
const inFork = (what: string): string =>
  `${right}let forks = 0;
export default { ...anonVma(), name: 'odd', create(services) {
  const rmap = anonVma().create(services);
  const { fork } = rmap;
  rmap.fork = function (...args) { if (++forks === 3) { ${what} } return fork.apply(rmap, args); };
  return rmap;
} };`;

/** Strategy packages as they may be installed: what their module does, and more of their package.json. */
const installed: Record<string, readonly [module: string, manifest?: object]> = {
  'rmap-good': [`${right}export default { ...anonVma(), name: 'good' };`],
  '@team/rmap-scoped': [`${right}export default anonVma();`],
  '@rmap-lab/strategy-anon-vma': [`${right}export default anonVma();`],
  'rmap-prints': [`${right}console.log('chatter'); process.stdout.write('chatter'); export default anonVma();`],
  'rmap-hangs': [HANG],
  'rmap-never-there': ['export function then() {}'],
  'rmap-throws': ["throw new Error('boom');"],
  'rmap-exits': ['process.exit(0);'],
  'rmap-kills': [`process.kill(process.pid, 'SIGKILL'); ${HANG}`],
  'rmap-other-contract': [`${right}export default { ...anonVma(), contract: 2 };`],
  'rmap-other-core': [`${right}export default anonVma();`, { peerDependencies: { '@rmap-lab/core': '^2.0.0' } }],
  'rmap-later-core': [`${right}export default anonVma();`, { dependencies: { '@rmap-lab/core': '^0.7.0' } }],
  'rmap-hangs-in-fork': [inFork(HANG)],
  'rmap-exits-in-fork': [inFork('process.exit(0);')],
  'rmap-kills-in-fork': [inFork(`process.kill(process.pid, 'SIGKILL'); ${HANG}`)],
  'rmap-aborts-in-fork': [inFork('process.abort();')],
  'rmap-sends-null': [`process.send(null);\n${right}export default anonVma();`],
  'rmap-sends-an-end': [`process.send({ kind: 'end', status: 0 });\n${right}export default anonVma();`],
  'rmap-unbuilt': [right, { exports: './dist/index.js' }],
  'rmap-pollutes': [`${right}Array.prototype.map = () => { throw new Error('polluted'); }; export default anonVma();`],
};

beforeAll(() => {
  for (const [name, [module, manifest]] of Object.entries(installed)) {
    const directory = join(scratch, 'node_modules', name);
    mkdirSync(directory, { recursive: true });
    const about = { name, version: '1.2.3', type: 'module', exports: { import: './index.js' }, keywords: ['rmap-strategy'] };
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ ...about, ...manifest }));
    writeFileSync(join(directory, 'index.js'), module);
  }
});

const SMALL = ['--workload', 'fork-chain', '--parameter', 'depth=4'];
/** Those that can't even be loaded, and what is said of them. */
const unusable: readonly (readonly [name: string, message: RegExp])[] = [
  ['rmap-hangs', /'rmap-hangs' .*8 s.* while it was loaded/],
  ['rmap-never-there', /'rmap-never-there' ended the program.* while it was loaded/],
  ['rmap-throws', /'rmap-throws': found nothing that can be loaded \(boom\)/],
  ['rmap-exits', /'rmap-exits' ended the program.* while it was loaded/],
  ['rmap-other-contract', /'rmap-other-contract': found contract 2, expected contract 1: install/],
  ['rmap-sends-null', /'rmap-sends-null' sent something that is no result/],
  ['rmap-sends-an-end', /'rmap-sends-an-end' sent something that is no result/],
  ['rmap-other-core', /'rmap-other-core': found a package for @rmap-lab\/core \^2\.0\.0.* install/],
  ['rmap-later-core', /'rmap-later-core': found a package for @rmap-lab\/core \^0\.7\.0.* install/],
];
const killer = ['rmap-kills', /'rmap-kills' ended the program \(SIGKILL\) while it was loaded/] as const;

describe('rmap-lab strategies', () => {
  let listed: Finished;
  let table: Finished;
  // At once: both wait for the package that hangs.
  beforeAll(async () => {
    [listed, table] = await Promise.all([rmapLab(['strategies', '--json']), rmapLab(['strategies'])]);
  }, 60_000);

  it('lists what comes along and what is installed, and says why a package does not load', () => {
    const { status, out } = listed;
    expect(status).toBe(0);
    const all = JSON.parse(out) as { name: string; version: string; contract: number | null; where: string; error: string }[];
    const named = (name: string) => all.find((each) => each.name === name);
    expect(named('anon-vma')).toMatchObject({ where: null, contract: 1, error: null });
    for (const name of ['rmap-good', '@team/rmap-scoped', 'rmap-prints', 'rmap-hangs-in-fork'])
      expect(named(name)).toMatchObject({
        version: '1.2.3',
        where: join(scratch, 'node_modules', name),
        contract: 1,
        error: null,
      });
    for (const [name, message] of [...unusable, killer])
      expect(named(name)).toMatchObject({ contract: null, error: expect.stringMatching(message) });
    expect(all).toHaveLength(2 + Object.keys(installed).length);
  });

  it('lists a design once that comes along and is installed, and says which one a name is', () => {
    const where = join(scratch, 'node_modules', '@rmap-lab/strategy-anon-vma');
    const all = JSON.parse(listed.out) as { name: string }[];
    expect(all.filter(({ name }) => name.endsWith('anon-vma'))).toMatchObject([
      { name: 'anon-vma', where: null, installed: { name: '@rmap-lab/strategy-anon-vma', version: '1.2.3', where } },
    ]);
    expect(table.out).toContain(
      `'anon-vma' is the one that comes with rmap-lab; '@rmap-lab/strategy-anon-vma' (1.2.3) is that in ${where}\n`,
    );
  });
});

describe('a strategy from outside', () => {
  it('is used by its package name, and what it prints stays out of the document', async () => {
    const { status, out } = await rmapLab([
      'compare',
      '--strategy',
      'rmap-good',
      '--strategy',
      'rmap-prints',
      ...SMALL,
      '--json',
    ]);
    expect(status).toBe(0);
    const { rows } = JSON.parse(out) as { rows: { strategy: string }[] };
    expect(rows.map(({ strategy }) => strategy)).toEqual(['good', 'anon-vma']);
    const explored = await rmapLab(['explore', 'fork-x-walk', '--strategy', 'rmap-prints', '--json']);
    expect(JSON.parse(explored.out)).toMatchObject({ strategy: 'rmap-prints', verdict: 'passes' });
    const conforms = await rmapLab(['conformance', 'rmap-prints', '--grep', 'families/fork', '--json']);
    expect(JSON.parse(conforms.out)).toMatchObject({ strategy: 'anon-vma' });
  });

  it.each([unusable[0], unusable[3], killer])(
    '%s is refused by every command that is about it, by name',
    async (name, message) => {
      const commands = [
        ['compare', '--strategy', 'anon-vma', '--strategy', name, ...SMALL],
        ['explore', 'fork-x-walk', '--strategy', name],
        ['run', '--strategy', name, '--workload', 'fork-chain'],
        ['conformance', name],
      ];
      for (const { status, err } of await Promise.all(commands.map((args) => rmapLab(args)))) {
        expect(err).toMatch(message);
        expect(status).toBe(2);
      }
    },
  );

  it('that does not load, or hangs, exits, aborts or kills its process in a hook, is named and costs nobody else a result', async () => {
    const bad = ['rmap-hangs-in-fork', 'rmap-exits-in-fork', 'rmap-kills-in-fork', 'rmap-aborts-in-fork', 'rmap-pollutes'];
    const names = [...bad, 'anon-vma'];
    const strategies = [...names, 'rmap-kills', 'rmap-hangs'];
    const grid = file(
      'bad.json',
      JSON.stringify({
        strategies,
        workloads: [{ workload: 'fork-chain', parameters: { depth: 4 } }],
        limits: { seconds: 5, mebibytes: 512 },
      }),
    );
    const [compared, swept, ...explored] = await Promise.all([
      rmapLab(['compare', ...names.flatMap((name) => ['--strategy', name]), ...SMALL, '--seconds', '5', '--json']),
      rmapLab(['sweep', grid, '--json']),
      ...['1', '2'].map((workers) => rmapLab(['explore', 'fork-x-walk', '--strategy', bad[0], '--workers', workers])),
    ]);
    const { rows, failed } = JSON.parse(compared.out) as {
      rows: { strategy: string; failure: null }[];
      failed: { strategy: string; blame: string }[];
    };
    expect(rows).toMatchObject([{ strategy: 'anon-vma', failure: null }]);
    expect(failed).toMatchObject(bad.map((strategy) => ({ strategy, blame: expect.stringContaining(strategy) })));
    expect(compared.status).toBe(1);
    const { results } = JSON.parse(swept.out) as { results: { cell: { strategy: string }; outcome: { status: string } }[] };
    expect(results.map(({ outcome }) => outcome.status)).toEqual([
      'time',
      ...['threw', 'threw', 'threw', 'threw'],
      'measured',
      ...['threw', 'threw'],
    ]);
    for (const [name, how] of [
      ['rmap-exits-in-fork', 'exit status 0'],
      ['rmap-kills-in-fork', 'SIGKILL'],
      ['rmap-aborts-in-fork', 'SIGABRT'],
    ] as const) {
      const blame = failed.find(({ strategy }) => strategy === name)?.blame;
      expect(blame).toBe(`strategy '${name}' on 'fork-chain': it ended its process (${how})`);
      const { status, err } = await rmapLab(['conformance', name, '--level', 'families']);
      expect(err).toMatch(`strategy '${name}' ended the program (${how}) in case families/`);
      expect(status).toBe(2);
    }
    for (const { status, err } of explored) {
      expect(err).toMatch(/'rmap-hangs-in-fork' did not come back for 8 s/);
      expect(status).toBe(2);
    }
  });

  it('that throws is blamed with the place, and is no crash of the command', async () => {
    const thrower = file('thrower.mjs', inFork("throw new TypeError('a mistake');"));
    const creator = file(
      'creator.mjs',
      `${right}export default { ...anonVma(), create() { throw new TypeError('a mistake'); } };`,
    );
    const nobody = file('nobody.mjs', `${right}export default { ...anonVma(), create: () => null };`);
    const commands = [
      ['run', '--strategy', thrower, '--workload', 'fork-chain'],
      ['run', '--strategy', creator, '--workload', 'fork-chain'],
      ['explore', 'fork-x-walk', '--strategy', creator],
      ['explore', 'fork-x-walk', '--strategy', creator, '--workers', '1'],
    ];
    for (const args of commands) {
      const { status, err } = await rmapLab(args);
      expect(err).toMatch(/^rmap-lab: strategy '.\/(thrower|creator).mjs' threw (on fork-chain|in a schedule of fork-x-walk): /);
      expect(err).toMatch(/TypeError: a mistake\n.*(thrower|creator)\.mjs:\d/);
      expect(err).not.toContain('ended the program');
      expect(status).toBe(1);
    }
    const { status, err } = await rmapLab(['run', '--strategy', nobody, '--workload', 'fork-chain']);
    expect(err).toMatch(/^rmap-lab: R3 broken in create .* it made null, which has no prepare/);
    expect(status).toBe(1);
  });

  it('that is a folder, is not there, is not built, or lacks fields is refused in words', async () => {
    const half = file('half.mjs', `${right}const { bytes, ...rest } = anonVma(); export default rest;`);
    const locks = file('locks.mjs', `${right}export default { ...anonVma(), locks: null };`);
    const red = file('escape.mjs', `${right}export default { ...anonVma(), name: 'red\\u001b[31m' };`);
    const taking = file('taking.mjs', `${right}export default (options) => anonVma(options);`);
    const refusals = [
      ['.', "strategy '.': found a folder, expected the file in it"],
      ['./nowhere.mjs', "strategy './nowhere.mjs': found no such file"],
      [
        'rmap-unbuilt',
        /'rmap-unbuilt': found a package without the file .*dist.index\.js, expected one that is built: npm run build/,
      ],
      ['nobody-knows-it', "'nobody-knows-it': found nothing that can be loaded (Cannot find package 'nobody-knows-it'), "],
      [half, 'found bytes undefined, expected numbers for vma, mm and folio'],
      [locks, 'found locks null, expected a list of lock classes'],
      [red, "found the name 'red\\x1B[31m', expected one without control characters"],
      [taking, 'found a module that exports default, expected a strategy, or a function without parameters'],
    ] as const;
    for (const [name, message] of refusals) {
      const { status, err } = await rmapLab(['run', '--strategy', name, '--workload', 'fork-chain']);
      expect(err).toMatch(message);
      expect(status).toBe(2);
    }
  });

  it('is not blamed for a workload that is not there', async () => {
    const strategy = ['--strategy', 'rmap-good'];
    const none = await rmapLab(['compare', ...strategy, '--workload', 'none-such']);
    expect(none).toMatchObject({
      status: 2,
      err: expect.stringMatching(/^rmap-lab: there is no workload and no file 'none-such'/),
    });
    const odd = await rmapLab(['compare', ...strategy, '--workload', 'fork-chain', '--parameter', 'depht=4']);
    expect(odd).toMatchObject({ status: 2, err: expect.stringMatching(/^rmap-lab: workload 'fork-chain' can't take depht=4/) });
    const foreign = await rmapLab(['compare', ...strategy, '--workload', file('foreign.gz', 'text')]);
    expect(foreign).toMatchObject({ status: 2, err: expect.stringMatching(/^rmap-lab: \.\/foreign\.gz: record 1: /) });
  });

  it('is told apart from another of the same name, and is no second one when it is named twice', async () => {
    const [one, two] = ['one.mjs', 'two.mjs'].map((name) => file(name, `${right}export default anonVma();`));
    const names = ['anon-vma', one, two, one].flatMap((name) => ['--strategy', name]);
    const { out } = await rmapLab(['compare', ...names, ...SMALL, '--csv', '--svg', 'twins.svg']);
    expect(out.split('\n')[0]).toBe('section,figure,anon-vma,anon-vma (./one.mjs),anon-vma (./two.mjs)');
    const svg = readFileSync(join(scratch, 'twins.svg'), 'utf8');
    for (const name of ['anon-vma', 'anon-vma (./one.mjs)', 'anon-vma (./two.mjs)']) expect(svg).toContain(`>${name}<`);
  });
});
