import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const globals = new URL('../dist/globals.js', import.meta.url).href;
const anonVma = new URL('../../strategy-anon-vma/dist/index.js', import.meta.url).href;
const scratch = mkdtempSync(join(tmpdir(), 'rmap-conformance-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const node = (...args: string[]) =>
  spawnSync(process.execPath, args, {
    cwd: scratch,
    env: { ...process.env, INIT_CWD: scratch, NO_COLOR: '1' },
    encoding: 'utf8',
  });
const file = (name: string, text: string): string => {
  writeFileSync(join(scratch, name), text);
  return `./${name}`;
};
const right = file('right.mjs', `export { anonVma } from '${anonVma}';\n`);
const wrong = file(
  'wrong.mjs',
  `import { anonVma } from '${anonVma}';
const base = anonVma();
export default { ...base, name: 'forgets-forks', create: (services) => Object.assign(base.create(services), { fork() {} }) };
`,
);
/** The classic design, changed; `first` is done before anything else. */
const strategy = (name: string, change: string, first = ''): string =>
  file(
    `${name}.mjs`,
    `import { anonVma } from '${anonVma}';\nconst base = anonVma();\n${first}\nexport default { ...base, ${change} };\n`,
  );
/** Another fork. */
const forks = (what: string): string => `create: (services) => Object.assign(base.create(services), { fork() { ${what} } })`;
const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('rmap-conformance', () => {
  it('answers 0 for a strategy that conforms', () => {
    const { status, stdout } = node(main, right, '--level', 'contract', 'scale');
    expect(stdout).toContain('anon-vma conforms');
    expect(status).toBe(0);
  });

  it('says nothing else where there are many cores', () => {
    const cores = file(
      'cores.mjs',
      "import os from 'node:os';\nimport { syncBuiltinESMExports } from 'node:module';\nos.availableParallelism = () => 11;\nsyncBuiltinESMExports();\n",
    );
    const { status, stderr } = node('--import', cores, main, right, '--level', 'walkers');
    expect([status, stderr]).toEqual([0, '']);
  });

  it('answers 1 for one that does not, and shows rule, program and command', () => {
    const { status, stdout } = node(main, wrong, '--grep', 'families/fork');
    expect(status).toBe(1);
    for (const text of [
      'forgets-forks does not conform',
      'R17: ',
      "op: 'fork'",
      `rmap-conformance ${wrong} --grep families/fork`,
      'address spaces before:',
      'page A: expected process 1 at 12, process 2 at 12; found process 1 at 12',
    ])
      expect(stdout).toContain(text);
    expect(node(main, wrong, '--grep', 'families/fork', '--seed', '7').stdout).toContain(
      `${wrong} --seed 7 --grep families/fork`,
    );
  });

  it('prints JSON, TAP, JUnit and Markdown', () => {
    const print = (reporter: string): string => node(main, wrong, '--grep', 'families/fork', '--reporter', reporter).stdout;
    const document = JSON.parse(print('json')) as {
      schema: string;
      score: { failed: number };
      cases: { id: string; outcome: string }[];
    };
    expect(document).toMatchObject({ schema: 'rmap-lab/conformance@1', strategy: 'forgets-forks', contract: 1 });
    expect(document.cases.find(({ id }) => id === 'families/fork')?.outcome).toBe('failed');
    expect(document.score.failed).toBeGreaterThan(0);
    expect(print('tap')).toMatch(/^TAP version 14\n1\.\.\d+\nnot ok 1 - families\/fork: /);
    expect(print('junit')).toMatch(/<testsuite name="families" tests="\d+" failures="[1-9]/);
    expect(print('markdown')).toContain('#### families/fork');
  });

  it('answers 2 for a package that is not there, breaks down, or hangs, and names it', () => {
    const missing = node(main, 'no-such-strategy');
    expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining("strategy 'no-such-strategy'")]);
    const leaves = node(main, file('leaves.mjs', 'process.exit(0);\n'));
    expect([leaves.status, leaves.stderr]).toEqual([2, expect.stringContaining('leaves.mjs')]);
    const hangs = node(main, file('hangs.mjs', 'for (;;);\n'), '--seconds', '2');
    expect([hangs.status, hangs.stderr]).toEqual([2, expect.stringContaining('more than 2 s')]);
    expect(node(main, right, '--grep', 'no such case').status).toBe(2);
  });

  it('waits for a case as long as it is told, also longer than a timer can', () => {
    expect(node(main, right, '--grep', 'families/fork', '--seconds', '2147484')).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('rmap-conformance, as scripts use it', () => {
  it.each([
    '--bogus',
    'x --level nope',
    'x --seed x',
    'x --seed 99999999999999999999999',
    'x --shard 0/3',
    'x --shard 1/2/3',
    'x --shard 1/0x5',
    'x --shard 1.5/3',
    'x --reporter foo',
    'x --json --reporter junit',
    'x --seconds 0',
    'one two',
    'x --grep',
    '--list --grep nothing-here',
  ])('answers 2 for bad usage, which is no verdict: %s', (args) => {
    const { status, stdout, stderr } = node(main, ...args.split(' '));
    expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining('error: ')]);
  });

  it('runs every interleaving where that is asked for, and says of how many cases', () => {
    const args = [main, right, '--grep', 'concurrency/fork-x-walk', '--preemptions', 'all'];
    const { status, stdout } = node(...args);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^ {2}concurrency {2}(\d+) passed, \1 of them in every interleaving$/m),
    ]);
    expect(node(...args, '--reporter', 'markdown').stdout).toMatch(
      /^Of the concurrent cases \d+ passed in every interleaving\.$/m,
    );
    const failing = node(main, wrong, '--grep', 'concurrency/fork-x-walk', '--preemptions', 'all').stdout;
    expect(failing).toContain('  rmap-conformance ./wrong.mjs --preemptions all --grep concurrency/fork-x-walk\n');
    expect(node(...args.slice(0, -1), 'most')).toMatchObject({ status: 2, stderr: expect.stringContaining('a whole number') });
  });

  it('answers 0 for a question about itself, and says what statuses mean', () => {
    const { status, stdout } = node(main, '--help');
    expect([status, stdout]).toEqual([0, expect.stringContaining('Exit status:')]);
  });

  it('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [main, '--list'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let said = '';
    child.stderr.on('data', (text) => (said += text));
    const [status] = await once(child, 'close');
    expect([status, said]).toEqual([0, '']);
  });

  it('names no short names where there are none, and says what to install for another contract', () => {
    expect(node(main, 'no-such-strategy').stderr).toContain('expected a package name or a file');
    const other = node(main, strategy('contract', "contract: '1'"));
    expect([other.status, other.stderr]).toEqual([2, expect.stringMatching(/found contract '1', expected contract 1: install /)]);
  });

  it('quotes a path with spaces in the command that shows a failure again', () => {
    const { stdout } = node(main, strategy('my strat', forks('')), '--grep', 'families/fork', '--seed', '7');
    expect(stdout).toContain("rmap-conformance './my strat.mjs' --seed 7 --grep families/fork");
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ended by %s, it leaves nothing running', async (signal) => {
    const busy = file('busy.mjs', 'console.error(process.pid); for (;;);\n');
    const child = spawn(process.execPath, [main, busy], { cwd: scratch, env: { ...process.env, INIT_CWD: scratch } });
    const [pid] = await once(child.stderr, 'data');
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([128 + constants.signals[signal], null]);
    await vi.waitUntil(() => !isRunning(Number(pid)), 20_000);
  });
});

describe('interrupted', () => {
  /** Interrupts the command in the middle of a case, which then hangs. */
  const interrupting = strategy(
    'interrupting',
    `create: (services) => {
      if (++made === 10) {
        process.kill(process.ppid, 'SIGINT');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
      return base.create(services);
    }`,
    'let made = 0;',
  );

  it('it reports the cases that were over, and says so', () => {
    expect(node(main, interrupting, '--grep', 'families/')).toMatchObject({
      status: 130,
      stderr: '',
      stdout: expect.stringMatching(/^anon-vma conforms so far \(\d+ of \d+ cases were run\)\n {2}families {2}\d+ passed\n/),
    });
  });
});

describe('a strategy that does more than it should', () => {
  it.each([
    ['some', '() => false'],
    ['map', '() => []'],
    ['filter', '() => []'],
  ])('gets no verdict by a changed Array.prototype.%s', (method, what) => {
    const changed = strategy(method, forks(''), `Array.prototype.${method} = ${what};`);
    expect(node(main, changed, '--grep', 'families/fork').status).toBe(1);
  });

  it('ends the program between two cases, and is named with the next', () => {
    const ends = strategy('ends', 'create: (services) => (setImmediate(() => process.exit(0)), base.create(services))');
    const { status, stdout, stderr } = node(main, ends, '--grep', 'families/fork');
    // What is known by then is reported, too.
    expect(stdout).toMatch(/^anon-vma conforms so far \([1-9] of \d+ cases were run\)\n {2}families {2}[1-9] passed\n/);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^strategy '\.\/ends\.mjs' ended the program \(exit status 0\) in case families\/fork/),
    ]);
  });

  it('gets no verdict by results of other cases', () => {
    const changed = strategy('maps', forks(''), 'Map.prototype.get = function () { return this.values().next().value; };');
    const { status, stderr } = node(main, changed, '--grep', 'families/fork');
    expect([status, stderr]).toEqual([
      2,
      "strategy './maps.mjs' sent the result of another case than it was run on; does it change built-in objects?\n",
    ]);
  });

  it.each([
    'null',
    '{}',
    "'x'",
    "{ kind: 'begins' }",
    "{ kind: 'report', report: { conforms: true } }",
    "{ kind: 'refused', message: 1 }",
  ])('sends what is no result: %s', (message) => {
    const { status, stderr } = node(main, strategy('sends', '', `process.send(${message});`), '--grep', 'families/fork');
    expect([status, stderr]).toEqual([2, "strategy './sends.mjs' sent something that is no result\n"]);
  });

  it.each([
    ['null', 'null'],
    ['Object.create(null)', 'something without a text'],
    ["Object.assign(new Error('x'), { message: () => 1 })", '() => 1'],
  ])('throws %s: in a hook the case failed, elsewhere it is named', (thrown, said) => {
    const hook = node(main, strategy('throws', forks(`throw ${thrown};`)), '--grep', '/fork', '--preemptions', '0');
    expect([hook.status, hook.stderr, hook.stdout]).toEqual([1, '', expect.stringContaining(said)]);
    const { status, stderr } = node(main, file('throws-at-once.mjs', `throw ${thrown};\n`));
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining(`'./throws-at-once.mjs': found nothing that can be loaded (${said})`),
    ]);
  });
});

describe('what is reported', () => {
  const print = (reporter: string, name: string, ...args: string[]): string =>
    node(main, name, '--reporter', reporter, ...args).stdout;

  it('has no control characters and no halves of characters, whatever a strategy says', () => {
    const odd = strategy('odd', `name: 'odd', ${forks("throw new Error('bad \\0 \\x1b[31m \\ufffe \\ud800 ]]> <x> end');")}`);
    for (const reporter of ['pretty', 'tap', 'junit']) {
      const said = print(reporter, odd, '--grep', 'families/fork');
      expect(said).not.toMatch(/(?![\t\n])[\p{Cc}\ufffe]/u);
      expect(said).toMatch(/bad \ufffd \ufffd\[31m \ufffd \ufffd /);
    }
  });

  it('stays inside its fence in Markdown', () => {
    const fences = strategy('fences', forks("throw new Error('```');"));
    expect(print('markdown', fences, '--grep', 'families/fork')).toContain('\n````text\n');
  });

  it('a should that failed is told apart from what decides', () => {
    const growing = strategy('growing', forks('(services.kept ??= []).push(services.slab("kept", { bytes: 8 }).alloc());'));
    const args = ['--grep', 'scale/generations'];
    expect(node(main, growing, ...args).status).toBe(0);
    expect(print('tap', growing, ...args)).toMatch(/^not ok 1 - scale\/generations: .* # TODO should$/m);
    expect(print('junit', growing, ...args)).toMatch(/failures="0" skipped="1".*<skipped message="should: /s);
    expect(print('markdown', growing, ...args)).toContain('#### scale/generations (should)');
  });
});

describe('the adapter for runners with globals', () => {
  it('says how to see a failure again, with the settings of the tests', () => {
    const tests = file(
      'tests.mjs',
      `import { conformance } from '${globals}';
import forgets from '${wrong}';
globalThis.describe = (name, body) => body();
globalThis.it = (name, body) => { try { body(); } catch (error) { console.log(error.message); } };
conformance(forgets, { grep: 'families/fork', seed: 7, preemptions: 1 });
process.env.npm_package_name = '@team/my-design';
conformance(forgets, { grep: 'families/fork' });
`,
    );
    const said = spawnSync(process.execPath, [tests], { cwd: scratch, env: { NO_COLOR: '1' }, encoding: 'utf8' }).stdout;
    expect(said).toContain('  rmap-conformance forgets-forks --seed 7 --preemptions 1 --grep families/fork\n');
    expect(said).toContain('  rmap-conformance @team/my-design --grep families/fork\n');
  });

  it('without a global describe and it there is a clear error', () => {
    const alone = file('alone.mjs', `import { conformance } from '${globals}';\nconformance({ name: 'x' });\n`);
    expect(node(alone).stderr).toContain("no global 'describe' and 'it'");
  });
});
