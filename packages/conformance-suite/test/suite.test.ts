import { type Feature, KernelError, NoMemory, type Rmap, type RmapServices, type RmapStrategy } from '@rmap-lab/core';
import { scenarios } from '@rmap-lab/explorer';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { describe, expect, it } from 'vitest';
import { randomPrograms } from '../src/cases/random.js';
import { cases, LEVELS, RULES, runCase, runConformance } from '../src/index.js';

describe('the cases', () => {
  it('have ids of their own, under the name of their level', () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    expect(cases.filter(({ id, level }) => !id.startsWith(`${level}/`))).toEqual([]);
    expect(cases.length).toBeGreaterThanOrEqual(200);
  });

  it('are about every rule', () => {
    const covered = new Set<string>(cases.map(({ rule }) => rule));
    expect(Object.keys(RULES)).toEqual(Array.from({ length: 35 }, (_, i) => `R${i + 1}`));
    expect(Object.keys(RULES).filter((rule) => !covered.has(rule))).toEqual([]);
  });

  it("are all scenarios of the explorer's catalogue, none left out", () => {
    const concurrent = cases.filter(({ level, strength }) => level === 'concurrency' && strength === 'must');
    expect(concurrent.map(({ id }) => id.replace('concurrency/', '')).sort()).toEqual(scenarios.map(({ name }) => name).sort());
  });

  it('say where they stem from', () => {
    expect(cases.filter(({ why, title }) => why.length < 4 || title.length < 10)).toEqual([]);
  });
});

/** The classic design with something taken from it. */
const without = (change: (rmap: Rmap, services: RmapServices) => void): RmapStrategy => {
  const classic = anonVma();
  return {
    ...classic,
    create: (services) => {
      const rmap = classic.create(services);
      change(rmap, services);
      return rmap;
    },
  };
};

const throws = (error: Error): never => {
  throw error;
};

describe('what is wrong is found', () => {
  const wrong: [string, RmapStrategy, string][] = [
    ['the published form of ANON_VMA_LAZY, at moves', anonVmaLazy('posted'), 'one-address-space/move'],
    ['the proof of concept of the CoW context, at moves', cowContext('poc'), 'one-address-space/move'],
    ['a fork that links nothing', without((rmap) => (rmap.fork = () => {})), 'families/fork'],
    ['a split that copies no links', without((rmap) => (rmap.clone = () => {})), 'one-address-space/split-by-protection'],
    ['an unmapping that leaves its links', without((rmap) => (rmap.unlink = () => {})), 'one-address-space/unmap-all'],
    [
      'a change of range that keys nothing anew',
      without((rmap) => (rmap.adjust = (change) => change.apply())),
      'one-address-space/boundary-moves',
    ],
    [
      'a walk that never stops',
      without((rmap) => {
        const { walk } = rmap;
        rmap.walk = (hold, query, visitor) =>
          walk.call(rmap, hold, query, {
            get found() {
              return visitor.found;
            },
            restart: () => visitor.restart(),
            *visit(vma, address) {
              const answer = visitor.visit(vma, address);
              if (typeof answer !== 'boolean') yield* answer;
              return true;
            },
          });
      }),
      'contract/walk-stops',
    ],
    [
      'a question about merging that always says yes',
      without((rmap) => (rmap.canMerge = () => true)),
      'families/child-joins-two',
    ],
    [
      'a fork that is refused as if by the kernel',
      without((rmap) => (rmap.fork = () => throws(new KernelError('EPERM', 'fork', 'too deep')))),
      'families/fork',
    ],
    [
      'a first fault that runs out of memory where there is plenty',
      without((rmap) => (rmap.prepare = () => throws(new NoMemory('prepare')))),
      'one-address-space/move',
    ],
    [
      'the same in random programs, now and then',
      without((rmap) => {
        const { fork } = rmap;
        let forks = 0;
        rmap.fork = (child, parent) => (++forks % 100 === 0 ? throws(new NoMemory('fork')) : fork.call(rmap, child, parent));
      }),
      'random/programs',
    ],
    [
      'a first fault that looks at a clock',
      without((rmap) => {
        const { prepare } = rmap;
        rmap.prepare = (vma) => (performance.now() > 0 ? prepare.call(rmap, vma) : undefined);
      }),
      'contract/no-clock',
    ],
    [
      'a migration that looks at a clock',
      without((rmap, { folios }) => {
        rmap.transfer = (to, from) => folios.setAnchor(to, new Date() && folios.anchor(from));
      }),
      'contract/no-clock',
    ],
    [
      'a walk that takes a lock of each process, to look there in vain',
      without((rmap, services) => {
        const { walk } = rmap;
        const gates = services.perMm(() => services.rwsem('anon_vma'));
        rmap.walk = function* (hold, query, visitor) {
          for (const gate of (yield* services.mms()).map((mm) => gates.of(mm))) {
            yield* gate.read();
            gate.readUnlock();
          }
          yield* walk.call(rmap, hold, query, visitor);
        };
      }),
      'scale/strangers',
    ],
    [
      'a fork that is refused under other threads',
      without((rmap) => (rmap.fork = () => throws(new KernelError('EAGAIN', 'fork', 'busy')))),
      'concurrency/fork-x-migrate',
    ],
  ];
  it.each(wrong)('%s', (_, strategy, id) => {
    const { results, conforms } = runConformance(strategy, { grep: id });
    const failed = results.filter(({ outcome }) => outcome === 'failed');
    expect(failed.length).toBeGreaterThan(0);
    expect(conforms).toBe(false);
    expect(failed[0].message?.length).toBeGreaterThan(10);
  });

  it('a failure shows the rule, the shortest program as code, and the address spaces', () => {
    const [result] = runConformance(anonVmaLazy('posted'), { grep: 'one-address-space/move-twice' }).results;
    expect(result.broken).toMatch(/^R17: /);
    expect(result.code?.split('\n')).toHaveLength(5); // map, write, move, between brackets
    expect(result.evidence.after).toContain('process 1: ');
  });

  it.each(['managed', 'free'] as const)('a schedule is shown on the machine where it failed: state %s', (state) => {
    const [{ broken, evidence }] = runConformance(
      { ...anonVmaLazy('posted'), state },
      { grep: 'concurrency/fork-child-x-ksm' },
    ).results;
    expect(broken).toMatch(/^R17: /);
    expect(evidence.after).toContain('process 1: ');
    expect(evidence.mappings).toContain('expected process 1');
  });

  it('a strategy that claims it can not and then does is found out, and one that refuses counts as refused', () => {
    const honest = runConformance(cowContext('poc'), { grep: 'walkers/ksm/alone' }).results[0];
    expect(honest.outcome).toBe('refused');
    // Core refuses what `unsupported` names, so a case that needs nothing of it and is refused breaks R33.
    const refusing: RmapStrategy = { ...anonVma(), unsupported: { swap: 'for the purpose of this test only' } };
    expect(runConformance(refusing, { grep: 'walkers/reclaim/alone' }).results[0].outcome).toBe('refused');
  });
});

describe('a concurrent case', () => {
  const named = (id: string) => cases.find((each) => each.id === id) as (typeof cases)[number];
  const of = (id: string, strategy: RmapStrategy, preemptions?: number) =>
    runCase(named(id), strategy, preemptions === undefined ? {} : { preemptions });
  const every = Number.POSITIVE_INFINITY;

  it('says whether it left interleavings out', () => {
    expect(of('concurrency/fork-x-walk', anonVma())).toMatchObject({ outcome: 'passed', everyInterleaving: false });
    expect(of('concurrency/fork-x-walk', anonVma(), every)).toMatchObject({ outcome: 'passed', everyInterleaving: true });
    expect(of('families/fork', anonVma(), every)).toMatchObject({ outcome: 'passed', everyInterleaving: null });
    const claims: RmapStrategy = { ...anonVma(), unsupported: { ksm: 'it says so' } };
    expect(of('concurrency/fork-x-ksm', claims, every)).toMatchObject({ outcome: 'refused', everyInterleaving: null });
  });

  it('leaves some out where what threads read can not be followed', () => {
    const free: RmapStrategy = { ...anonVma(), state: 'free' };
    expect(of('concurrency/fork-x-walk', free, every)).toMatchObject({ outcome: 'passed', everyInterleaving: false });
  });

  it('finds in every interleaving what takes three preemptions', () => {
    expect(of('concurrency/lone-munmap-x-migrate', anonVmaLazy())).toMatchObject({ outcome: 'passed' });
    const { outcome, everyInterleaving, broken, evidence } = of('concurrency/lone-munmap-x-migrate', anonVmaLazy(), every);
    expect({ outcome, everyInterleaving }).toEqual({ outcome: 'failed', everyInterleaving: null });
    expect(broken).toMatch(/^R20: /);
    expect(evidence.schedule).toMatch(/^\d+ steps, 3 preemptions\n/);
  });
});

describe('what a strategy says it can not do', () => {
  const features: readonly Feature[] = [
    'large-folio',
    'private-file',
    'swap',
    'migrate',
    'ksm',
    'uffd-move',
    'collapse',
    'folio-split',
  ];
  it.each(features)(
    '%s: is refused in every case that needs it, counts as refused, and nothing else depends on it',
    (feature) => {
      const strategy: RmapStrategy = { ...anonVma(), unsupported: { [feature]: 'for the purpose of this test only' } };
      const needing = cases.filter(({ needs, level }) => needs.includes(feature) && level !== 'random');
      const { results, score } = runConformance(strategy, {
        levels: LEVELS.filter((level) => level !== 'random' && level !== 'concurrency'),
      });
      expect(results.filter(({ outcome }) => outcome === 'failed').map(({ id, message }) => `${id}: ${message}`)).toEqual([]);
      expect(score.refused).toBe(needing.filter(({ level }) => level !== 'concurrency').length);
      const concurrent = needing.filter(({ level }) => level === 'concurrency');
      const outcomes = concurrent.map((each) => [each.id, runCase(each, strategy, { preemptions: 0 }).outcome]);
      expect(outcomes.filter(([, outcome]) => outcome !== 'refused')).toEqual([]);
    },
  );
});

describe('the random programs', () => {
  it.each([1, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])('of seed %i are all different', (seed) => {
    const programs = randomPrograms(seed, 20).map((program) => JSON.stringify(program));
    expect(new Set(programs).size).toBe(20);
  });

  it('map pages of a file, and have walkers, where the case says so', () => {
    const kindsOf = (...features: Feature[]): Set<string> =>
      new Set(
        randomPrograms(1, 50, new Set(features))
          .flat()
          .map((operation) => (operation.op === 'mmap' ? operation.memory : operation.op)),
      );
    expect(kindsOf('private-file')).toContain('file-private');
    const plain = kindsOf();
    const more = kindsOf('swap', 'migrate', 'ksm', 'uffd-move', 'folio-split');
    expect([...more].filter((kind) => !plain.has(kind)).sort()).toEqual([
      'fill',
      'finishMigrations',
      'ksmScan',
      'ksmUnmerge',
      'migrate',
      'read',
      'reclaim',
      'splitFolio',
      'startMigration',
      'swapOff',
      'uffdMove',
    ]);
  });
});

it('the same seed gives the same programs, a shard its share', () => {
  const ids = (options: Parameters<typeof runConformance>[1]): string[] =>
    runConformance(anonVma(), options).results.map(({ id }) => id);
  const all = ids({ levels: ['scale'] });
  const shards = [1, 2].flatMap((index) => ids({ levels: ['scale'], shard: { index, count: 2 } }));
  expect(shards.sort()).toEqual(all.sort());
});

describe('what a strategy says it is', () => {
  const [lock] = anonVma().locks;
  it.each<[string, Record<string, unknown>]>([
    ['the name is empty', { name: ' ' }],
    ["prepareUnder is 'nothing', not one of mmap-lock, vma-lock", { prepareUnder: 'nothing' }],
    ["ksm is 'pages', not one of anchors, direct", { ksm: 'pages' }],
    ["state is 'kept', not one of managed, free", { state: 'kept' }],
    ['a lock class has no name', { locks: [{ ...lock, name: '' }] }],
    ["the slot of lock class 'anon_vma' is 'ptl', not one of above-ptl, below-ptl", { locks: [{ ...lock, slot: 'ptl' }] }],
    ["the kind of lock class 'anon_vma' is 'mutex', not one of rwsem, spin", { locks: [{ ...lock, kind: 'mutex' }] }],
    ['bytes.mm is undefined, not a whole number', { bytes: { vma: 0, folio: 0 } }],
    ['bytes.vma is undefined, not a whole number', { bytes: undefined }],
    ['the name is empty', { name: undefined }],
    ['locks is undefined, not a list of lock classes', { locks: undefined }],
    ["the reason for 'ksm' says nothing: a sentence is due", { unsupported: { ksm: null } }],
  ])('is checked: %s', (message, change) => {
    const [{ outcome, message: told }] = runConformance({ ...anonVma(), ...change } as unknown as RmapStrategy, {
      grep: 'contract/describes-itself',
    }).results;
    expect([outcome, told]).toEqual(['failed', message]);
  });
});

describe('what a strategy declares of its growth', () => {
  const declared = cases.find(({ id }) => id === 'scale/declared-growth');
  if (declared === undefined) throw new RangeError('the suite has no case for it');
  const judged = (strategy: RmapStrategy, growth: Record<string, string> | undefined): [string, string | null] => {
    const { outcome, message } = runCase(declared, { ...strategy, growth } as RmapStrategy);
    return [outcome, message];
  };

  it.each([anonVma(), anonVmaLazy(), cowContext()])('$name keeps what it declares', (strategy) => {
    expect(judged(strategy, { ...strategy.growth })[0]).toBe('passed');
    expect(Object.keys(strategy.growth ?? {})).toHaveLength(5);
  });

  it('is checked by what grows: links in a line of forks, by the square in the classic design', () => {
    expect(judged(anonVma(), { depth: 'linear' })).toEqual([
      'failed',
      'depth is declared linear, and is 170 with 16 and 2210 with 64',
    ]);
    expect(judged(anonVma(), { vmas: 'constant' })[0]).toBe('failed');
    expect(judged(cowContext(), { depth: 'constant' })[0]).toBe('failed');
  });

  it('is unverified where nothing is declared, and refused where it is no growth', () => {
    expect(judged(anonVma(), undefined)[0]).toBe('unverified');
    expect(judged(anonVma(), { forks: 'linear' })).toEqual(['failed', expect.stringContaining('one of vmas, children, depth')]);
    expect(judged(anonVma(), { depth: 'cubic' })).toEqual([
      'failed',
      expect.stringContaining('one of constant, linear, quadratic'),
    ]);
  });
});
