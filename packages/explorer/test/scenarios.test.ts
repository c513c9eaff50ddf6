import { Kernel, type Op, ProgramRun, type Rmap, type RmapServices, type RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy, PRESETS } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { describe, expect, it } from 'vitest';
import {
  ALWAYS_CHECKED,
  explore,
  kernelProgram,
  type Program,
  scenarioNamed,
  scenarios,
  UnknownScenario,
  type Verdict,
} from '../src/index.js';

const base = anonVma();
/** The classic design with something changed. */
const changed = (name: string, change: (rmap: Rmap, services: RmapServices) => void): RmapStrategy => ({
  ...base,
  name,
  create: (services) => {
    const rmap = base.create(services);
    change(rmap, services);
    return rmap;
  },
});

const bounded = (scenario: string, strategy: RmapStrategy, preemptions: number): Verdict =>
  explore(kernelProgram(scenarioNamed(scenario), { strategy }), { engine: 'bounded', preemptions });

/** Rules that the contract marks for the explorer. */
const CONCURRENT = [5, 7, 8, 9, 10, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29, 30, 31].map((n) => `R${n}`);

const LONG = process.env.EXPLORER_LONG === '1';
const names = scenarios.map(({ name }) => name);

/** What the author of ANON_VMA_LAZY intends, with a lock that walks and changes take. */
const locked = anonVmaLazy({ ...PRESETS.intended, walkLock: 'hashedLock' });
/** Of a lazy family's root, start and offset are two stores that a walk may come between (X12): the author's design has no lock for it. */
const TORN = ['lone-munmap-x-walk', 'lone-mprotect-split-x-walk', 'lone-merge-x-walk', 'lone-stack-growth-x-walk'];
/** Whoever has a reference on the root keeps no address space: that of a process that exits is freed under a walk (X13). */
const GONE = ['walk', 'referenced', 'reclaim', 'migrate', 'split'].map((walker) => `lone-exit-x-${walker}`);
/** UFFDIO_MOVE is not kept out either, and a walk misses the page on its way. */
const UNSEEN = 'lone-uffd-move-x-walk';

// Some of them: the conformance tests of these strategies run all, with one preemption or, in `conformance:long`, in every interleaving, and `explorer:long` does so here.
describe.each([
  ['anon-vma', base, []],
  ['anon-vma-lazy', anonVmaLazy(), [...TORN, ...GONE, UNSEEN]],
  ['anon-vma-lazy with a lock', locked, []],
  ['cow-context', cowContext(), []],
])('%s', (_, strategy, found) => {
  const sound = names.filter((name) => !found.includes(name));
  it.each(sound.filter((_, i) => LONG || i % 9 === 0))('%s: keeps every rule with up to 2 preemptions', (name) => {
    const verdict = bounded(name, strategy, 2);
    expect(verdict.failure?.message ?? null).toBeNull();
    expect(verdict.schedules).toBeGreaterThan(1);
  });
});

/** Another thread goes on in the address space, so that who exits leaves it as it is. */
const LEAVES = ['uffd', 'reuse', 'collapse'].map((walker) => `exit-x-${walker}: exit`);

it('every thread of every scenario does something, and is not refused it, in some schedule', () => {
  const idle: string[] = [];
  for (const scenario of scenarios) {
    const program = kernelProgram(scenario, { strategy: base });
    const busy = new Set<string>();
    function* counted(name: string, op: Op<unknown>): Op<unknown> {
      for (let steps = 0; ; steps++) {
        const turn = op.next();
        // The first step is its beginning.
        if (turn.done && steps > 1) busy.add(name);
        if (turn.done) return turn.value;
        yield turn.value;
      }
    }
    const names = new Set<string>();
    const watched: Program = (how) => {
      const world = program(how);
      for (const name of Object.keys(world.threads)) names.add(name);
      return {
        ...world,
        threads: Object.fromEntries(Object.entries(world.threads).map(([name, op]) => [name, counted(name, op)])),
      };
    };
    explore(watched, { engine: 'bounded', preemptions: 1 });
    idle.push(...[...names].filter((name) => !busy.has(name)).map((name) => `${scenario.name}: ${name}`));
  }
  expect(idle).toEqual(LEAVES);
});

describe('the published forms', () => {
  it('the proof of concept of the CoW context leaves a migration entry behind that a fork copied (R23)', () => {
    const { failure } = bounded('fork-x-migrate', cowContext('poc'), 2);
    expect(failure?.message).toContain('R23');
    expect(failure?.preemptions).toBeLessThanOrEqual(2);
  });

  it('the posted form of ANON_VMA_LAZY misses a page of KSM in a grandchild', () => {
    expect(bounded('fork-child-x-ksm', anonVmaLazy('posted'), 2).failure?.rule).toBe('R17');
  });
});

describe('ANON_VMA_LAZY as intended', () => {
  it.each(TORN)('%s: a walk reads start and offset between the two stores, and misses a mapping (X12)', (name) => {
    expect(bounded(name, anonVmaLazy(), 2).failure).toMatchObject({ rule: 'R18', preemptions: 1 });
    expect(bounded(name, locked, 2).failure).toBeNull();
  });

  it.each(GONE)('%s: a walk looks VMAs up in an address space that is gone, or races with its end (X13)', (name) => {
    expect(bounded(name, anonVmaLazy(), 2).failure?.rule).toMatch(/^(R31|race)$/);
    expect(bounded(name, locked, 2).failure).toBeNull();
  });

  it(`${UNSEEN}: a walk misses the page on its way`, () => {
    expect(bounded(UNSEEN, anonVmaLazy(), 2).failure).toMatchObject({ rule: 'R18', preemptions: 1 });
    expect(bounded(UNSEEN, locked, 2).failure).toBeNull();
  });
});

describe('a strategy that is broken on purpose', () => {
  it('moves entries without the lock: the walks of a folio split miss them (R17), found with two preemptions', () => {
    const strategy = changed('unlocked-move', (rmap) => {
      rmap.move = undefined as never;
    });
    const { failure } = bounded('move-and-back-x-split', strategy, 2);
    expect(failure).toMatchObject({ rule: 'R17' });
    expect(failure?.preemptions).toBeLessThanOrEqual(2);
  });

  it('changes ranges without the lock', () => {
    const strategy = changed('unlocked-adjust', (rmap) => {
      rmap.adjust = (change) => change.apply();
    });
    expect(bounded('mprotect-split-x-walk', strategy, 2).failure).not.toBeNull();
  });
});

describe('drawn scenarios', () => {
  it.each([
    ['anon-vma', base],
    ['anon-vma-lazy with a lock', locked],
    ['cow-context', cowContext()],
  ])('are drawn by their number, the same each time, and %s passes them', (_, strategy) => {
    for (let seed = 1; seed <= (LONG ? 40 : 6); seed++) {
      const name = `random-${seed}`;
      expect(scenarioNamed(name).program).toEqual(scenarioNamed(name).program);
      expect(bounded(name, strategy, 1).failure?.message ?? null, name).toBeNull();
    }
  });

  it('find what others do: reclaim put a folio into swap that a migration had just emptied', () => {
    expect(bounded('random-10', cowContext(), 1).failure).toBeNull();
  });
});

describe('scenarios', () => {
  it('say what they are and which rules they are about; every concurrent rule of the contract has some', () => {
    for (const { name, description, rules } of scenarios) {
      expect(description.length, name).toBeGreaterThan(20);
      expect(rules.length, name).toBeGreaterThan(0);
    }
    const covered = new Set([...ALWAYS_CHECKED, ...scenarios.flatMap(({ rules }) => rules)]);
    expect(CONCURRENT.filter((rule) => !covered.has(rule))).toEqual([]);
  });

  it('are set up without a refusal', () => {
    for (const { name, program, machine } of scenarios) {
      const run = new ProgramRun(new Kernel({ ...machine, strategy: base }));
      for (const operation of program.setup) expect(run.apply(operation), `${name}: ${operation.op}`).toBe('ok');
    }
  });

  it('have names of their own, and others are refused', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
    expect(() => scenarioNamed('nonsense')).toThrow(UnknownScenario);
  });
});
