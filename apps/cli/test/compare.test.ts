import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison, Measurement } from '@rmap-lab/experiments';
import { forkChain } from '@rmap-lab/workloads';
import { describe, expect, it } from 'vitest';
import { compareCsv } from '../src/compare-report.js';
import { compareSchema } from '../src/compare-schema.js';
import { remainders } from '../src/cover-letter.js';
import { type CoverLetter, coverLetterCsv, coverLetterMarkdown } from '../src/cover-letter-report.js';
import { file, HANG, rmapLab, scratch, traceFile } from './command.js';

/** A file with the classic design, which interrupts the command when it is made for the `nth` machine. */
const interrupts = (nth: number): string =>
  file(
    `interrupts-${nth}.mjs`,
    `import { anonVma } from ${JSON.stringify(import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js'))};
     let made = 0;
     export default { ...anonVma(), create(s) { if (++made === ${nth}) process.kill(process.ppid, 'SIGINT'); return anonVma().create(s); } };`,
  );

describe('rmap-lab compare', () => {
  const SMALL = ['--workload', 'fork-chain', '--parameter', 'depth=3', '--parameter', 'vmas=2'];

  it('prints one JSON document with a row for each strategy', async () => {
    const { status, out } = await rmapLab(['compare', ...SMALL, '--json']);
    expect(status).toBe(0);
    const document = compareSchema.parse(JSON.parse(out));
    expect(document.workload).toBe('fork-chain');
    const fields = ['strategy', 'preset', 'slab', 'fork', 'mremap', 'walks', 'locks', 'zombies', 'merges', 'verify'];
    for (const row of document.rows) expect(Object.keys(row)).toEqual(expect.arrayContaining(fields));
    expect(document.rows[0]).toMatchObject({ strategy: 'anon-vma', verify: { missed: 0, wrong: 0 } });
  });

  it('prints the same figures as a table, as Markdown and as comma-separated values', async () => {
    const [table, markdown, csv] = await Promise.all(
      [[], ['--markdown'], ['--csv']].map((how) => rmapLab(['compare', '--strategy', 'anon-vma', ...SMALL, ...how])),
    );
    expect(table.out).toMatch(/anon_vma_chain: objects +.* 20 \/ 0 /);
    expect(markdown.out).toMatch(/^\| anon_vma_chain: objects \| 20 \/ 0 \|$/m);
    expect(csv.out).toMatch(/^Memory: at the peak \/ at the end,anon_vma_chain: objects,20 \/ 0$/m);
  });

  it('reports a strategy that fails with its first witness, and answers 1', async () => {
    const broken = file(
      'forgetful.mjs',
      `import { anonVma } from ${JSON.stringify(import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js'))};
       export default () => ({ ...anonVma(), name: 'forgetful', create(s) { const r = anonVma().create(s); r.walk = function* () {}; return r; } });`,
    );
    const { status, out } = await rmapLab(['compare', '--strategy', broken, ...SMALL]);
    expect(status).toBe(1);
    expect(out).toMatch(/FAILS/);
    expect(out).toMatch(/forgetful fails: R17: the walk of folio/);
  });

  it('marks what it prints when it is interrupted, and names who was not run', async () => {
    const strategies = ['anon-vma', interrupts(1), 'cow-context'].flatMap((name) => ['--strategy', name]);
    const large = ['--workload', 'fork-chain', '--parameter', 'depth=64'];
    const said = (how: readonly string[]) => rmapLab(['compare', ...strategies, ...large, ...how]);
    const [table, markdown, csv, json] = await Promise.all(
      [['--svg', 'partial.svg'], ['--markdown'], ['--csv'], ['--json']].map(said),
    );
    for (const { status } of [table, markdown, csv, json]) expect(status).toBe(130);
    expect(table.out).toMatch(/^fork-chain \(partial\)$/m);
    expect(markdown.out).toMatch(/^### fork-chain \(partial\)$/m);
    for (const { out } of [table, markdown, csv])
      for (const name of ['./interrupts-1.mjs', 'cow-context']) expect(out).toContain(`${name} was not run`);
    expect(compareSchema.parse(JSON.parse(json.out))).toMatchObject({
      partial: true,
      notRun: ['./interrupts-1.mjs', 'cow-context'],
      rows: [{ strategy: 'anon-vma', stopped: false }],
    });
    const svg = readFileSync(join(scratch, 'partial.svg'), 'utf8');
    for (const text of ['fork-chain (partial): memory', 'cow-context was not run']) expect(svg).toContain(text);
  });

  it('says what a recording by strace has not', async () => {
    const untouched = [...forkChain({ depth: 2 })].flatMap((record) => {
      if (record.type === 'header') return { ...record, options: { 'left-out': 'every touch of a page' } };
      return record.type === 'touch' ? [] : record;
    });
    const trace = await traceFile('untouched.trace.gz', untouched);
    const [table, json] = await Promise.all([[], ['--json']].map((how) => rmapLab(['compare', '--workload', trace, ...how])));
    expect(table.out).toMatch(/^not in the trace: every touch of a page$/m);
    for (const { leftOut } of compareSchema.parse(JSON.parse(json.out)).rows) expect(leftOut).toBe('every touch of a page');
  });

  it('gives no verdict on a strategy that was stopped', async () => {
    const { out } = await rmapLab(['compare', '--strategy', 'anon-vma', ...SMALL, '--json']);
    const { rows, ...rest } = compareSchema.parse(JSON.parse(out));
    expect(compareCsv({ ...rest, rows: [{ ...rows[0], stopped: true }], partial: true })).toMatch(
      /^Verification,verdict,stopped$/m,
    );
  });

  it.each([
    ['--json', '--markdown'],
    ['--json', '--csv'],
    ['--markdown', '--csv'],
    ['--preset', 'cover-letter'],
  ])('refuses %s beside what it would ignore', async (...options) => {
    const { status, err } = await rmapLab(['compare', '--workload', 'fork-chain', ...options]);
    expect([status, err]).toEqual([2, expect.stringMatching(/cannot be used with/)]);
  });

  it.each(['2147484', '4294968'])('waits %s s, although no timer can', async (seconds) => {
    const source = import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js');
    const outside = file('outside.mjs', `export { anonVma } from ${JSON.stringify(source)};\n`);
    const { status, err } = await rmapLab(['compare', '--strategy', outside, ...SMALL, '--seconds', seconds]);
    expect([status, err]).toEqual([0, '']);
  });

  it.each([
    [['--parameter', 'depth'], /must be like depth=8/],
    [['--parameter', 'death=2'], /it takes depth, vmas, pages/],
    [['--seconds', '0'], /it must be at least 1/],
    [['--strategy', 'anon-vma:fast'], /without the preset 'fast'/],
  ])('refuses %j with a reason', async (args, message) => {
    const { status, err } = await rmapLab(['compare', '--workload', 'fork-chain', ...args]);
    expect(status).toBe(2);
    expect(err).toMatch(message);
  });
});

it('rmap-lab compare without a workload says what it needs', async () => {
  expect(await rmapLab(['compare'])).toMatchObject({
    status: 2,
    err: 'rmap-lab: compare needs a --workload, or a --preset\n',
  });
});

const PHONE = { zygoteVmas: 40, bootApps: 16, apps: 8, services: 10, appVmas: 30, serviceVmas: 10 };
const PARAMETERS = Object.entries(PHONE).flatMap(([name, n]) => ['--parameter', `${name}=${n}`]);
const LETTER = ['compare', '--preset', 'cover-letter', ...PARAMETERS];

it('rmap-lab compare --preset cover-letter sets ours beside theirs, says whose anon_vmas are left, and does the same on every recorded workload', async () => {
  const { status, out } = await rmapLab([...LETTER, '--json']);
  expect(status).toBe(0);
  const { coverLetter } = compareSchema.parse(JSON.parse(out));
  const line = coverLetter?.lines.find(({ mark, cache }) => mark === 'boot' && cache === 'anon_vma');
  expect(line?.theirs).toBeCloseTo(-97.0, 1);
  expect(line?.ours).toBeCloseTo((line!.after / line!.before - 1) * 100);
  for (const { left, zygote, forkingApps, perForkingApp } of coverLetter!.remainders)
    expect(zygote + forkingApps * perForkingApp!).toBeCloseTo(left);
  expect(coverLetter?.remainders.map(({ forkingApps }) => forkingApps)).toEqual([2, 3]);
  const recorded = ['compiler-build', 'prefork-server', 'python-multiprocessing', 'redis-bgsave', 'shell-pipeline'];
  expect(coverLetter?.recorded.map(({ workload }) => workload)).toEqual(recorded);
  const markdown = coverLetterMarkdown(coverLetter as CoverLetter);
  expect(markdown).toMatch(/^### Whose anon_vmas are left$/m);
  expect(markdown).toMatch(/^\| boot \| anon_vma \| -97.0 % \| -\d+\.\d % \|/m);
  const csv = coverLetterCsv(coverLetter as CoverLetter);
  expect(csv).toMatch(/^section,after,cache,cover letter,here,/m);
  expect(csv).toMatch(/cover letter,boot,anon_vma,-97.0 %,-\d+\.\d %,/);
}, 60_000);

it('the cover letter says nothing of how many apps fork where none does', () => {
  const run = (anon_vma: number) =>
    ({ marks: ['boot', 'apps'].map((mark) => ({ mark, processes: 9, live: { anon_vma } })) }) as unknown as Measurement;
  const comparison = { rows: [run(1000), run(38)] } as unknown as Comparison;
  for (const { left, forkingApps, perForkingApp, forkingAppsForTheirs } of remainders(comparison, comparison))
    expect({ left, forkingApps, perForkingApp, forkingAppsForTheirs }).toEqual({
      left: 38,
      forkingApps: 0,
      perForkingApp: null,
      forkingAppsForTheirs: null,
    });
});

describe('rmap-lab sweep', () => {
  const grid = (name: string, content: object): string => file(name, JSON.stringify(content));
  const parameters = { depth: [2, 3, 4, 5, 6, 7, 8, 9], vmas: 4, pages: 200 };

  it('goes on after kill -9 with nothing lost and nothing run twice', async () => {
    const name = grid('killed.json', {
      strategies: ['anon-vma'],
      workloads: [{ workload: 'fork-chain', parameters }],
      seeds: [1, 2, 3],
    });
    const { readFileSync, existsSync } = await import('node:fs');
    const lines = (): string[] =>
      existsSync(`${scratch}/killed.results.jsonl`)
        ? readFileSync(`${scratch}/killed.results.jsonl`, 'utf8').split('\n').slice(0, -1)
        : [];
    const first = await rmapLab(['sweep', name, '--workers', '1'], { killWhen: () => lines().length >= 3 });
    expect(first.status).toBeNull();
    const kept = lines();
    expect(kept.length).toBeGreaterThanOrEqual(3);
    expect(kept.length).toBeLessThan(24);
    const { status, out } = await rmapLab(['sweep', name, '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ schema: 'rmap-lab/sweep@1', cells: 24, found: kept.length, run: 24 - kept.length });
    const all = lines();
    expect(all.slice(0, kept.length)).toEqual(kept);
    expect(all).toHaveLength(24);
    expect(new Set(all.map((line) => (JSON.parse(line) as { id: string }).id)).size).toBe(24);
  }, 60_000);

  it('blames a strategy that hangs, throws or eats the memory by name, and runs the others', async () => {
    const anonVma = JSON.stringify(import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js'));
    const spoilt = (how: string): string =>
      file(`${how.slice(0, 4)}.mjs`, `import { anonVma } from ${anonVma}; export default { ...anonVma(), create() { ${how} } };`);
    const name = grid('bad.json', {
      strategies: [
        'anon-vma',
        spoilt(HANG),
        spoilt("throw new Error('out of order')"),
        spoilt('const a = []; for (;;) a.push(Array(1e5).fill(0.5))'),
        'nonsense',
      ],
      workloads: [{ workload: 'fork-chain', parameters: { depth: 2 } }],
      limits: { seconds: 4, mebibytes: 128 },
    });
    const { status, out } = await rmapLab(['sweep', name, '--json']);
    expect(status).toBe(1);
    const { results } = JSON.parse(out) as {
      results: { cell: { strategy: string }; outcome: { status: string; blame?: string } }[];
    };
    expect(results.map(({ outcome }) => outcome.status)).toEqual(['measured', 'time', 'threw', 'memory', 'threw']);
    for (const { cell, outcome } of results.slice(1)) expect(outcome.blame).toContain(`strategy '${cell.strategy}'`);
  }, 60_000);

  it('runs a cell again that threw, whose strategy or what it imports was edited, or whose trace', async () => {
    const anonVma = JSON.stringify(import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js'));
    const strategy = (what: string) =>
      file('edited.mjs', `import { anonVma } from './part.mjs';\n${what}\nexport default anonVma();\n`);
    const part = (comment: string) => file('part.mjs', `export { anonVma } from ${anonVma}; // ${comment}\n`);
    part('The first one.');
    const trace = (depth: number) => traceFile('edited.trace.gz', forkChain({ depth }));
    const name = grid('edited.json', {
      strategies: ['anon-vma', strategy("throw new Error('not yet');")],
      workloads: [{ workload: 'fork-chain', parameters: { depth: 2 } }, { workload: await trace(2) }],
    });
    const swept = async (): Promise<object> => {
      const { out } = await rmapLab(['sweep', name, '--json']);
      const { found, run, results } = JSON.parse(out) as {
        found: number;
        run: number;
        results: { outcome: { status: string } }[];
      };
      return { found, run, statuses: results.map(({ outcome }) => outcome.status) };
    };
    const [fine, threw] = ['measured', 'threw'];
    expect(await swept()).toEqual({ found: 0, run: 4, statuses: [fine, threw, fine, threw] });
    expect(await swept()).toEqual({ found: 2, run: 2, statuses: [fine, threw, fine, threw] });
    strategy('');
    expect(await swept()).toEqual({ found: 2, run: 2, statuses: [fine, fine, fine, fine] });
    expect(await swept()).toEqual({ found: 4, run: 0, statuses: [fine, fine, fine, fine] });
    strategy('// Better.');
    expect(await swept()).toEqual({ found: 2, run: 2, statuses: [fine, fine, fine, fine] });
    part('Another one.');
    expect(await swept()).toEqual({ found: 2, run: 2, statuses: [fine, fine, fine, fine] });
    await trace(3);
    expect(await swept()).toEqual({ found: 2, run: 2, statuses: [fine, fine, fine, fine] });
  }, 120_000);

  it('runs a cell again whose strategy package was built anew', async () => {
    const anonVma = JSON.stringify(import.meta.resolve('@rmap-lab/strategy-anon-vma').replace('/src/index.ts', '/dist/index.js'));
    const folder = join(scratch, 'node_modules/rmap-built');
    mkdirSync(join(folder, 'dist'), { recursive: true });
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'rmap-built', type: 'module', exports: './dist/index.js' }),
    );
    const build = (what: string): void =>
      writeFileSync(join(folder, 'dist/index.js'), `export { anonVma as default } from ${anonVma};\n${what}`);
    const name = grid('built.json', {
      strategies: ['rmap-built'],
      workloads: [{ workload: 'fork-chain', parameters: { depth: 2 } }],
    });
    const run = async (): Promise<number> => JSON.parse((await rmapLab(['sweep', name, '--json'])).out).run;
    build('');
    expect(await run()).toBe(1);
    expect(await run()).toBe(0);
    build('// Better.');
    expect(await run()).toBe(1);
  });

  it('blames no strategy for a file that is no trace', async () => {
    const workload = file('no.trace.gz', 'hello');
    const { status, err } = await rmapLab([
      'sweep',
      grid('no-trace.json', { strategies: ['anon-vma'], workloads: [{ workload }] }),
    ]);
    expect([status, err]).toEqual([2, expect.stringMatching(/no\.trace\.gz.*no gzip file/)]);
  });

  it('refuses a workload or parameter that there is not, before it blames a strategy', async () => {
    const wrong = {
      strategies: ['anon-vma'],
      workloads: [{ workload: 'jit' }, { workload: 'fork-chain', parameters: { death: 3 } }],
    };
    const { status, err } = await rmapLab(['sweep', grid('unknown.json', wrong)]);
    expect([status, err]).toEqual([2, expect.stringMatching(/fork-chain.* can't take death=3/)]);
  });

  it('names the grid or the file of results that can not be opened', async () => {
    const fine = grid('fine.json', { strategies: ['anon-vma'], workloads: [{ workload: 'fork-chain' }] });
    const [dir, out, nowhere] = await Promise.all(
      [['.'], [fine, '--out', '.'], [fine, '--out', 'no/x.jsonl']].map((args) => rmapLab(['sweep', ...args])),
    );
    for (const { status } of [dir, out, nowhere]) expect(status).toBe(2);
    expect(dir.err).toMatch(/^rmap-lab: '.+': EISDIR/);
    expect(out.err).toMatch(/^rmap-lab: '.+': EISDIR/);
    expect(nowhere.err).toMatch(/^rmap-lab: '.+no\/x\.jsonl': ENOENT/);
  });

  it('says what is wrong with a grid', async () => {
    const { status, err } = await rmapLab(['sweep', grid('wrong.json', { strategies: [] })]);
    expect(status).toBe(2);
    expect(err).toMatch(/wrong.json: strategies/);
  });
});

describe('rmap-lab growth', () => {
  it('fits how the figures of each strategy grow', async () => {
    const { status, out } = await rmapLab([
      'growth',
      '--strategy',
      'anon-vma',
      '--workload',
      'fork-chain',
      '--vary',
      'depth=8,16,32',
      '--parameter',
      'vmas=1',
      '--json',
    ]);
    expect(status).toBe(0);
    const { schema, rows } = JSON.parse(out) as {
      schema: string;
      rows: { strategy: string; figures: { figure: string; values: number[]; exponent: number }[] }[];
    };
    expect(schema).toBe('rmap-lab/growth@1');
    const [{ values, exponent }] = rows[0].figures;
    // (D+1)(D+2)/2 links, and an anon_vma for each process.
    expect(values).toEqual([8, 16, 32].map((depth) => ((depth + 1) * (depth + 2)) / 2 + depth + 1));
    expect(exponent).toBeGreaterThan(1.5);
  });

  it('shows what is known to cost the classic design, under every strategy', async () => {
    const { status, out } = await rmapLab(['growth', '--preset', 'known-costs', '--json']);
    expect(status).toBe(0);
    type Document = { workload: string; rows: { strategy: string; figures: { figure: string; values: number[] }[] }[] };
    const documents = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Document);
    const values = (workload: string, strategy: string, figure: string): number[] | undefined =>
      documents
        .find((each) => each.workload === workload)
        ?.rows.find((row) => row.strategy === strategy)
        ?.figures.find((each) => each.figure === figure)?.values;
    const sizes = [8, 16, 32, 64];
    // (D+1)(D+2)/2 links for one VMA.
    expect(values('fork-chain', 'anon-vma', 'anon_vma_chain: peak')).toEqual(sizes.map((d) => ((d + 1) * (d + 2)) / 2));
    // A page that only the parent or one child ever wrote is looked for in the whole family.
    const exclusive = (strategy: string) => values('fork-fan-out', strategy, 'candidates of an exclusive walk: largest');
    expect(exclusive('anon-vma')).toEqual(sizes.map((n) => n + 1));
    expect(exclusive('cow-context')).toEqual([1, 1, 1, 1]);
    // Two VMAs a pair in the parent and three in the child, or one each.
    const vmas = (strategy: string) => values('apart', strategy, 'VMAs mapped: peak');
    expect([vmas('anon-vma'), vmas('anon-vma-lazy')]).toEqual([sizes.map((n) => 5 * n), sizes.map((n) => 5 * n)]);
    expect(vmas('cow-context')).toEqual(sizes.map((n) => 2 * n));
  });

  it('needs a workload and what to vary, or a preset', async () => {
    expect(await rmapLab(['growth', '--workload', 'jit'])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/or a --preset/),
    });
  });

  it.each(['depth=8', 'depth=8,8', 'depth=8,16,8'])('refuses a parameter that does not vary: %s', async (vary) => {
    expect(await rmapLab(['growth', '--workload', 'fork-chain', '--vary', vary])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/two different values or more/),
    });
  });

  it('refuses a value of the parameter that varies', async () => {
    const both = ['--vary', 'depth=2,3', '--parameter', 'depth=7'];
    expect(await rmapLab(['growth', '--workload', 'fork-chain', ...both])).toMatchObject({
      status: 2,
      out: '',
      err: expect.stringMatching(/'depth' is the parameter that --vary varies/),
    });
  });

  it('runs a strategy once that is named twice', async () => {
    const twice = ['--strategy', 'anon-vma', '--strategy', 'anon-vma'];
    const { out } = await rmapLab(['growth', '--workload', 'fork-chain', '--vary', 'depth=1,2', '--json', ...twice]);
    expect(JSON.parse(out).rows.map(({ strategy }: { strategy: string }) => strategy)).toEqual(['anon-vma']);
  });

  it.each([
    ['--workload', 'nope'],
    ['--vary', 'zzz=1,2'],
    ['--parameter', 'vmas=2'],
  ])('refuses %s beside a preset', async (...options) => {
    expect(await rmapLab(['growth', '--preset', 'known-costs', ...options])).toMatchObject({
      status: 2,
      err: expect.stringMatching(/cannot be used with/),
    });
  });

  it('keeps what was done when it is interrupted', async () => {
    const strategies = [interrupts(2), 'anon-vma'].flatMap((name) => ['--strategy', name]);
    const { status, out } = await rmapLab([
      'growth',
      ...strategies,
      '--workload',
      'fork-chain',
      '--vary',
      'depth=4,64,512',
      '--json',
    ]);
    expect(status).toBe(130);
    const { partial, notRun, rows } = JSON.parse(out) as {
      partial: boolean;
      notRun: string[];
      rows: { figures: { values: number[] }[] }[];
    };
    expect({ partial, notRun }).toEqual({ partial: true, notRun: ['anon-vma'] });
    for (const { values } of rows[0].figures) expect([1, 2]).toContain(values.length);
  });
});
