import { Kernel, PAGE_SIZE, type Rmap, type RmapServices, type RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { describe, expect, it } from 'vitest';
import { runConformance } from '../src/index.js';

type Hooks = Partial<Record<keyof Rmap, unknown>>;

/** The classic design with other hooks, as somebody may write them who has no types. */
const changed = (change: (rmap: Rmap, services: RmapServices) => Hooks, rest: object = {}): RmapStrategy => {
  const classic = anonVma();
  return {
    ...classic,
    ...rest,
    create: (services) => {
      const rmap = classic.create(services);
      return Object.assign(rmap, change({ ...rmap, ...bound(rmap) }, services));
    },
  };
};

/** Its own hooks, to be called by others. */
const bound = (rmap: Rmap): Partial<Rmap> =>
  Object.fromEntries(
    (['hold', 'holdVma', 'walk', 'forkMm', 'adjust', 'move'] as const).map((name) => [name, rmap[name]?.bind(rmap)]),
  );

const said = (strategy: RmapStrategy, grep: string): string => {
  const [{ broken, message }] = runConformance(strategy, { grep }).results;
  return `${broken?.split(':')[0]}: ${message?.split('\n')[0]}`;
};

describe('a mistake is told by hook, by what is wrong, and by what is due', () => {
  const mistakes: readonly [what: string, grep: string, change: Parameters<typeof changed>[0], message: string][] = [
    ['an async hook', 'families/fork', () => ({ async fork() {} }), 'R3 broken in fork'],
    ['an async hook', 'families/fork', () => ({ async fork() {} }), 'it answers a promise (none is async'],
    ['a walk that is no generator', 'families/fork', () => ({ walk() {} }), 'it answers undefined, where an operation'],
    ['an adjust that does nothing', 'one-address-space/split-head', () => ({ adjust() {} }), 'R3 broken in adjust'],
    ['a value where none is due', 'families/fork', () => ({ prepare: () => true }), 'it answers true, where nothing is due'],
    [
      'a hold that is no number',
      'one-address-space/first-write',
      () => ({ *hold() {} }),
      'R3 broken in hold during a call of the contract: it answers undefined, where a positive number, GONE or BUSY is due',
    ],
    [
      'a question that is a generator',
      'one-address-space/merge-new-after',
      () => ({ *canMerge() {} }),
      'a generator (it may not wait)',
    ],
    [
      'a survivor that is no VMA',
      'one-address-space/split-and-merge',
      () => ({ survivor: () => true }),
      'one of the two VMAs, or null',
    ],
    [
      'an error, with its place',
      'families/fork',
      () => ({
        fork() {
          throw new TypeError('x is undefined');
        },
      }),
      'R3 broken in fork during a call of the contract: it throws TypeError: x is undefined, at ',
    ],
    [
      'an error from core, with the place of the call',
      'families/fork',
      (_, { folios }) => ({ anchor: () => folios.setAnchor(1 as never, {} as never) }),
      'messages.test.ts',
    ],
    [
      'an anchor that does not fit',
      'families/fork',
      (_, { folios }) => ({ anchor: (folio: never) => folios.setAnchor(folio, 2 ** 31) }),
      'an anchor is a whole number below 2^31, 2147483648 is none',
    ],
    [
      'an apply that is not run',
      'one-address-space/split-head',
      () => ({
        *adjust(change: { apply(): unknown }) {
          change.apply();
        },
      }),
      'R8: R8 broken in adjust during a call of the contract: it did not run `yield* apply()`',
    ],
    [
      'a copy that is made twice',
      'families/fork',
      () => ({
        *forkMm(_child: never, _parent: never, copy: () => Iterable<never>) {
          yield* copy();
          yield* copy();
        },
      }),
      'R9: R9 broken in forkMm during a call of the contract: it calls `copy` once more',
    ],
    ['a move that is not driven', 'one-address-space/move', () => ({ *move() {} }), 'R10: R10 broken in move'],
    [
      'a visit whose answer is not run',
      'concurrency/fork-x-walk',
      ({ walk }) => ({
        walk: (hold: never, query: never, visitor: { visit(...args: unknown[]): unknown }) =>
          walk(hold, query, { found: 0, restart: () => {}, visit: (...args) => visitor.visit(...args) !== null }),
      }),
      'R21: R21 broken in walk during a call of the contract: it did not run what `visit` answered',
    ],
    [
      'a visit without an address',
      'one-address-space/first-write',
      ({ walk }) => ({
        walk: (hold: never, query: never, visitor: { visit(...args: unknown[]): never }) =>
          walk(hold, query, { found: 0, restart: () => {}, visit: (vma) => visitor.visit(vma) }),
      }),
      'folio 1 at 0xNaN: the address is unaligned or outside',
    ],
    [
      'an anchor that is never set',
      'one-address-space/first-write',
      () => ({ anchor() {} }),
      'R17: the walk of folio 1 (index 4294967308) found 0 of 1 mappings and missed mm 1 at 0x10000000c000, as `hold` answered GONE or BUSY',
    ],
    [
      'a hold that waits for a grace period, told not to',
      'concurrency/fork-x-referenced',
      ({ hold }, { rcu }) => ({
        *hold(folio: never, mode: 'read', wait: boolean) {
          if (!wait) yield* rcu.synchronize();
          const got = hold(folio, mode, wait);
          return typeof got === 'number' ? got : yield* got;
        },
      }),
      'R25: R25 broken in hold during a call of the contract: told not to wait, it waits for a grace period',
    ],
    [
      'a hook that sleeps where nobody may, in a migration',
      'contract/spin-hooks',
      (_, { rcu, folios }) => ({
        *transfer(to: never, from: never) {
          yield* rcu.synchronize();
          folios.setAnchor(to, folios.anchor(from));
        },
      }),
      'R16: transfer waits for a grace period',
    ],
  ];
  it.each(mistakes)('%s (%s)', (_, grep, change, message) => {
    expect(said(changed(change), grep)).toContain(message);
  });

  it('what a strategy makes that is no object with hooks', () => {
    const create = (make: () => unknown): string => said({ ...anonVma(), create: make as never }, 'families/fork');
    expect(create(() => {})).toContain('R3 broken in create during a call of the contract: it answers undefined');
    expect(create(async () => {})).toContain('it answers a promise');
    expect(create(() => class {})).toContain('it answers a function, where an object with the hooks is due');
  });

  it('an error of which not even the name can be had', () => {
    const odd = (): never => {
      throw Object.defineProperty(new Error('odd'), 'name', { get: odd });
    };
    expect(
      said(
        changed(() => ({ fork: odd })),
        'families/fork',
      ),
    ).toContain('it throws odd');
  });

  it('a lock class that is declared as another kind', () => {
    const [{ name, slot }] = anonVma().locks;
    expect(said({ ...anonVma(), locks: [{ name, slot, kind: 'spin' }] }, 'families/fork')).toContain(
      `lock class '${name}' (rwsem) is declared as 'spin': change that in the strategy's 'locks'`,
    );
  });

  it('what went wrong in a fork is not hidden by what its undoing makes of it', () => {
    let forked = false;
    const broken = changed(() => ({
      fork() {
        forked = true;
        throw new RangeError('the first');
      },
      unlink() {
        if (forked) throw new RangeError('the second');
      },
      mmExit() {
        if (forked) throw new RangeError('the second');
      },
    }));
    const process = new Kernel({ strategy: broken }).spawn();
    process.write(process.mmap(PAGE_SIZE));
    expect(() => process.fork()).toThrow('the first');
  });
});
