import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { distribution } from '@rmap-lab/experiments';
import { afterAll, describe, expect, it } from 'vitest';
import { runSchema } from '../src/run-schema.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'rmap-lab-cli-'));
afterAll(() => rmSync(scratch, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built command in the scratch folder; node itself gets `nodeOptions`. */
function started(args: readonly string[], ...nodeOptions: string[]): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, [...nodeOptions, main, ...args], {
    cwd: scratch,
    env: { ...process.env, INIT_CWD: scratch },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => (out += data));
  child.stderr.on('data', (data) => (err += data));
  return { child, outcome: new Promise((resolve) => child.on('close', (status) => resolve({ status, out, err }))) };
}

const rmapLab = (args: readonly string[]): Promise<Outcome> => started(args).outcome;

/** The same with a Ctrl-C, half a second after the command has begun to listen for one. */
function rmapLabInterrupted(args: readonly string[]): Promise<Outcome> {
  const sayWhenItListens = `process.on('newListener', (event) => event === 'SIGINT' && process.stderr.write('listens'))`;
  const { child, outcome } = started(args, '--import', `data:text/javascript,${sayWhenItListens}`);
  child.stderr?.once('data', () => setTimeout(() => child.kill('SIGINT'), 500));
  return outcome;
}

function file(name: string, text: string): string {
  writeFileSync(join(scratch, name), text);
  return `./${name}`;
}

describe('rmap-lab run', () => {
  it('prints one JSON document that fits the schema, with every mapping found', async () => {
    const { status, out } = await rmapLab(['run', '--strategy', 'anon-vma', '--workload', 'fork-chain', '--json']);
    expect(status).toBe(0);
    const document = runSchema.parse(JSON.parse(out));
    expect(document).toMatchObject({ schema: 'rmap-lab/run@1', strategy: 'anon-vma', workload: 'fork-chain', seed: 1 });
    expect(document.verify).toMatchObject({ missed: 0, wrong: 0 });
    expect(document.verify.mappings).toBeGreaterThan(0);
    expect(document.slab.anon_vma.peak).toBeGreaterThan(0);
    expect(document.slab.anon_vma.live).toBe(0);
    expect(document.walks.mappings).toBeGreaterThan(0);
    expect(document.operations.total).toBe(Object.values(document.operations.byKind).reduce((a, b) => a + b, 0));
  });

  it.each(['light', 'heavy'])('finds every mapping with %s kernel activity, the same for the same seed', async (level) => {
    const command = ['run', '--workload', 'shell-pipeline', '--json', '--kernel-activity', level, '--seed', '3'];
    const [a, b] = await Promise.all([1, 2].map(() => rmapLab(command)));
    expect(a.status).toBe(0);
    const first = runSchema.parse(JSON.parse(a.out));
    const second = runSchema.parse(JSON.parse(b.out));
    expect(first.verify).toMatchObject({ missed: 0, wrong: 0 });
    expect(first.kernelActivity?.reclaimed).toBeGreaterThan(0);
    expect(first.kernelActivity?.migrated).toBeGreaterThan(0);
    expect(first.kernelActivity).toEqual(second.kernelActivity);
  });

  it.each([
    ['run', '--workload', 'fork-chain', '--strategy', 'anon-vma-lazy:stated', '--json'],
    ['conformance', 'anon-vma-lazy:stated', '--grep', 'families/fork', '--json'],
  ])('names the preset in the document, so that two can be told apart: %s', async (...args) => {
    expect(JSON.parse((await rmapLab(args)).out)).toMatchObject({ strategy: 'anon-vma-lazy:stated' });
  });

  it('gives the same figures for the same seed', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => rmapLab(['run', '--workload', 'fork-chain', '--json', '--seed', '7'])));
    const figures = ({ out }: Outcome): object => ({ ...JSON.parse(out), seconds: 0, operationsPerSecond: 0 });
    expect(figures(a)).toEqual(figures(b));
  });

  it('prints tables for people', async () => {
    const { status, out } = await rmapLab(['run', '--workload', 'fork-chain']);
    expect(status).toBe(0);
    for (const word of ['Operations', 'Memory', 'anon_vma_chain', 'Locks', 'Walks', 'every mapping found'])
      expect(out).toContain(word);
  });

  it('fails with the first witness when a strategy misses a mapping', async () => {
    const strategy = file(
      'blind.mjs',
      `export default { name: 'blind', contract: 1, prepareUnder: 'vma-lock', ksm: 'anchors', locks: [], bytes: { vma: 0, mm: 0, folio: 0 },
        create: () => ({ prepare() {}, fork() {}, clone() {}, unlink() {}, anchor() {}, reaches: () => true, hold: () => 1, holdVma: () => 1,
          release() {}, *walk() {} }) };`,
    );
    const { status, err, out } = await rmapLab(['run', '--strategy', strategy, '--workload', 'fork-chain', '--json']);
    expect(status).toBe(1);
    expect(err).toMatch(/R17: the walk of folio \d+ .* found 0 of/);
    expect(runSchema.parse(JSON.parse(out)).verify.missed).toBeGreaterThan(0);
  });

  it('leaves a usable partial result when it is interrupted', async () => {
    const { status, out } = await rmapLabInterrupted(['run', '--workload', 'many-vmas', '--json']);
    const document = runSchema.parse(JSON.parse(out));
    expect([status, document.partial]).toEqual([130, true]);
    expect(document.verify).toMatchObject({ missed: 0, wrong: 0 });
    expect(document.operations.total).toBeGreaterThan(0);
  });
});

describe('rmap-lab refuses with exit status 2', () => {
  const lists = /fork-chain/;
  it('a workload that is not there, and lists those that are', async () => {
    const { status, err } = await rmapLab(['run', '--workload', 'nonsense']);
    expect(status).toBe(2);
    expect(err).toMatch(lists);
  });

  it('a strategy that is not there, and lists those that are', async () => {
    const { status, err } = await rmapLab(['run', '--strategy', 'nonsense', '--workload', 'fork-chain']);
    expect(status).toBe(2);
    expect(err).toMatch(/strategy 'nonsense'.*anon-vma/s);
  });

  it('a strategy of another contract', async () => {
    const other = file('other.mjs', `export default { name: 'other', contract: 2, locks: [], create() {} };`);
    expect(await rmapLab(['run', '--strategy', other, '--workload', 'fork-chain'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('contract 2'),
    });
  });

  it('a module without a strategy', async () => {
    const other = file('empty.mjs', 'export const x = 1;');
    expect(await rmapLab(['run', '--strategy', other, '--workload', 'fork-chain'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('exports x'),
    });
  });

  it('a file that is no trace', async () => {
    const trace = file('no.trace.gz', 'hello');
    const { status, err } = await rmapLab(['run', '--workload', join(scratch, trace)]);
    expect(status).toBe(2);
    expect(err).toMatch(/no\.trace\.gz.*record/);
  });

  it.each([[['run']], [['run', '--workload', 'fork-chain', '--seed', 'x']], [['frobnicate']], [['run', '--frobnicate']]])(
    '%j',
    async (args) => {
      const { status, err } = await rmapLab(args);
      expect(status).toBe(2);
      expect(err).toContain('error:');
    },
  );
});

describe('rmap-lab', () => {
  it('lists workloads as JSON', async () => {
    const { status, out } = await rmapLab(['workloads', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toContainEqual({ name: 'fork-chain', kind: 'generated', operations: expect.any(Number), bytes: 0 });
  });

  it.each([['--help'], ['run --help'], ['workloads --help'], ['compare --help'], ['growth --help']])(
    'explains itself in words: %s',
    async (args) => {
      const { status, out } = await rmapLab(args.split(' '));
      expect([status, out]).toEqual([0, expect.stringContaining('Usage: rmap-lab')]);
      expect(out).not.toMatch(/\(default: [[{]/);
    },
  );
});

describe('rmap-lab whose standard output', () => {
  /** Runs the command, which the shell calls `"$@"`, as a part of a line. */
  const inShell = (line: string, args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; ${line}`, 'bash', process.execPath, main, ...args],
      {
        encoding: 'utf8',
      },
    );
    return { status, out: stdout, err: stderr };
  };

  it.each([[['workloads']], [['compare', '--workload', 'fork-chain', '--strategy', 'anon-vma']]])(
    'is closed ends quietly: %j',
    (args) => {
      expect(inShell('"$@" | true', args)).toEqual({ status: 0, out: '', err: '' });
    },
  );

  it.runIf(existsSync('/dev/full'))('is full says so in one line', () => {
    expect(inShell('"$@" > /dev/full', ['workloads', '--json'])).toEqual({
      status: 2,
      out: '',
      err: expect.stringMatching(/^rmap-lab: standard output: ENOSPC.*\n$/),
    });
  });
});

describe('a distribution', () => {
  it('of nothing is all zero', () => expect(distribution([])).toEqual({ p50: 0, p99: 0, max: 0, total: 0 }));
  it('has median, 99th percentile, largest and sum', () => {
    expect(distribution(Array.from({ length: 100 }, (_, i) => i + 1))).toEqual({ p50: 50, p99: 99, max: 100, total: 5050 });
  });
});
