import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { file, rmapLab } from './command.js';

const RW = { prot: 3, memory: 'private', flags: 0, offset: 0 };
const program = (name: string, operations: readonly unknown[]): string => file(name, JSON.stringify(operations));

/** Whether everything of this kernel can be observed; the first run compiles what that takes. */
const { status: first, err: reason } = await rmapLab(['oracle', '--see', 'everything', '--operations', '1']);
const observed = first === 0;

describe('rmap-lab oracle --recorded', () => {
  test('compares with what Linux answered, on any system', async () => {
    const { status, out } = await rmapLab(['oracle', '--recorded', '--json']);
    expect(status).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ schema: 'rmap-lab/oracle@1', differences: 0, known: 0, seed: null });
    expect(report.operations).toBeGreaterThan(1000 * 12);
    expect(report.byKind.fork).toBeGreaterThan(100);
  });

  test('refuses what is no recording', async () => {
    const { status, err } = await rmapLab(['oracle', '--recorded', file('none.gz', 'text')]);
    expect(status).toBe(2);
    expect(err).toMatch(/no gzip file/);
  });
});

describe('rmap-lab oracle refuses', () => {
  test('to compare nothing', async () => {
    const { status, err } = await rmapLab(['oracle', '--operations', '0']);
    expect(status).toBe(2);
    expect(err).toMatch(/at least 1/);
  });

  test.each([
    ['--recorded', '--operations', '5'],
    ['--recorded', '--program', 'x'],
    ['--program', 'x', '--operations', '5'],
  ])('to ignore an option: %s %s %s', async (...options) => {
    const { status, err } = await rmapLab(['oracle', ...options]);
    expect([status, err]).toEqual([2, expect.stringMatching(/cannot be used with/)]);
  });

  test('to ignore --programs where nothing is recorded', async () => {
    const { status, err } = await rmapLab(['oracle', '--programs', '5']);
    expect([status, err]).toEqual([2, expect.stringMatching(/'--programs <n>' says how many to record: add --record FILE/)]);
  });

  test.runIf(!observed)('a kernel that it can not see, and says why and what to do', () => {
    expect(first).toBe(2);
    expect(reason).toMatch(/oracle --recorded/);
  });

  test.runIf(observed)('a program that is none, and says where', async () => {
    const bad = program('bad.json', [{ op: 'mmap', process: 0, at: 'here' }]);
    const { status, err } = await rmapLab(['oracle', '--program', bad]);
    expect(status).toBe(2);
    expect(err).toMatch(/bad\.json is no program: at 0\.at/);
    const unasked = program('unasked.json', [{ op: 'reclaim', process: 0, at: 3 }]);
    expect((await rmapLab(['oracle', '--program', unasked])).err).toMatch(/operation 1, 'reclaim'/);
    expect((await rmapLab(['oracle', '--program', 'nothing'])).err).toMatch(/no workload and no file/);
  });
});

test.runIf(process.platform === 'linux' && process.arch === 'x64')(
  'rmap-lab oracle --see layout compares what anybody can see and names the rest',
  async () => {
    const { status, out } = await rmapLab(['oracle', '--see', 'layout', '--operations', '500', '--json']);
    expect(status).toBe(0);
    const { operations, differences, missing } = JSON.parse(out);
    expect({ operations, differences }).toEqual({ operations: 500, differences: 0 });
    expect(missing).toContainEqual(expect.stringMatching(/^vm_pgoff; anon_vmas/));
  },
);

describe.runIf(observed)('rmap-lab oracle', () => {
  test('runs a saved program, and a workload', async () => {
    const saved = program('saved.json', [
      { op: 'mmap', process: 0, at: 10, pages: 4, ...RW },
      { op: 'write', process: 0, at: 11 },
      { op: 'fork', process: 0 },
      { op: 'write', process: 1, at: 11 },
    ]);
    const one = await rmapLab(['oracle', '--program', saved, '--json']);
    expect(JSON.parse(one.out)).toMatchObject({ operations: 4, differences: 0, byKind: { mmap: 1, write: 2, fork: 1 } });
    const workload = await rmapLab(['oracle', '--program', 'shell-pipeline']);
    expect(workload.out).toMatch(/0 differences/);
    expect(workload.status).toBe(0);
  });

  test('records what the kernel answers, and replays it', async () => {
    expect((await rmapLab(['oracle', '--record', 'mine.gz', '--programs', '12', '--seed', '3'])).status).toBe(0);
    const { out } = await rmapLab(['oracle', '--recorded', 'mine.gz', '--json']);
    expect(JSON.parse(out)).toMatchObject({ differences: 0 });
  });

  test('Ctrl-C prints what was compared by then, and puts the settings back', async () => {
    const before = await settings();
    const { status, out } = await rmapLab(['oracle', '--operations', '10000000', '--seed', '1', '--json'], {
      interruptWhen: hasTheMachine,
    });
    expect(status).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ partial: true, differences: 0, seed: 1 });
    expect(await settings()).toEqual(before);
  });

  test('Ctrl-C keeps the programs that were recorded by then', async () => {
    const before = await settings();
    const args = ['oracle', '--record', 'interrupted.gz', '--programs', '100000', '--seed', '1'];
    const { status, err } = await rmapLab(args, { interruptWhen: hasTheMachine });
    expect(status).toBe(130);
    expect(err).toMatch(
      /interrupted; (no program was answered|what Linux [\d.]+ answers to \d+ programs is in .*interrupted\.gz)\n$/,
    );
    expect(await settings()).toEqual(before);
  });

  test('refuses to record where nothing can be written, before it asks', async () => {
    const { status, err } = await rmapLab(['oracle', '--record', 'no/such/folder.gz', '--programs', '100000']);
    expect(status).toBe(2);
    expect(err).toMatch(/^rmap-lab: .*folder\.gz can't be written: ENOENT/);
    expect((await rmapLab(['oracle', '--record', '.', '--programs', '100000'])).err).toMatch(
      /can't be written: it is there and is no file/,
    );
  });

  test('takes turns with another one, and mends what a killed one left behind', async () => {
    const before = await settings();
    let changed = false;
    const killWhen = (): boolean => (changed ||= existsSync('/run/rmap-lab-settings.json'));
    const killed = rmapLab(['oracle', '--operations', '1000000'], { killWhen });
    expect((await killed).status).toBeNull();
    const both = await Promise.all([1, 2].map((seed) => rmapLab(['oracle', '--operations', '2500', '--seed', String(seed)])));
    expect(both.map(({ status, out }) => `${status} ${/\d+ differences/.exec(out)?.[0]}`)).toEqual(
      Array(2).fill('0 0 differences'),
    );
    expect(await settings()).toEqual(before);
  });
});

/** Whether the driver of an oracle holds the lock that lets it change settings. */
function hasTheMachine(pid: number): boolean {
  const drivers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  const locks = readFileSync('/proc/locks', 'utf8');
  return drivers.some((driver) => new RegExp(`^\\d+: FLOCK .* ${driver} `, 'm').test(locks));
}

/** What the oracle changes while it runs, read while no oracle does. */
async function settings(): Promise<string> {
  const names = ['run', 'sleep_millisecs', 'pages_to_scan', 'smart_scan', 'max_page_sharing'];
  const files = names.map((name) => `/sys/kernel/mm/ksm/${name}`).filter((name) => existsSync(name));
  return (await promisify(execFile)('flock', ['/sys/kernel/mm', 'grep', '', ...files])).stdout;
}
