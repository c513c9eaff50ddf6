import { BUSY, GONE, interleave, MADV_GUARD_INSTALL, PAGE_SIZE, type Process, type Vma } from '@rmap-lab/core';
import { scheduler } from '@rmap-lab/strategy-tests';
import { describe, expect, it } from 'vitest';
import { FOREIGN, isAnonVma } from '../src/anon-vma.js';
import { AT, folioOf, Opened } from './opened.js';

const SCHEDULES = 500;
const MODES = ['pin', 'read', 'write'] as const;
const live = ({ kernel }: Opened): number => kernel.stats().slab.anon_vma.live;
const refcounts = ({ kernel }: Opened): unknown[] =>
  kernel.inspect().nodes.flatMap(({ type, fields }) => (type === 'anon_vma' ? [fields.refcount] : []));
const owners = (vmas: readonly Vma[]): unknown[] => vmas.map(({ mm }) => mm);
const mmsOf = (...processes: readonly Process[]): unknown[] => processes.map(({ mm }) => mm);

describe('a hold of a folio', () => {
  it.each(MODES)('to %s is refused when nothing maps it', (mode) => {
    const t = new Opened();
    const process = t.spawn();
    const folio = folioOf(process);
    process.munmap(AT, PAGE_SIZE);
    expect(t.run(() => t.hold(folio, mode, true))).toBe(GONE);
    expect(t.run(() => t.hold(folio, mode, false))).toBe(GONE);
  });

  it('that may not wait reports a lock that is taken, and takes nothing', () => {
    const t = new Opened();
    const folio = folioOf(t.spawn());
    const answers = t.run(function* () {
      const writer = yield* t.hold(folio, 'write');
      const refused = [];
      for (const mode of MODES) refused.push(yield* t.hold(folio, mode, false));
      yield* t.release(writer);
      return refused;
    });
    expect(answers).toEqual([BUSY, BUSY, BUSY]);
    expect(refcounts(t)).toEqual([1]);
  });

  it('to read shares the lock with readers and pins, not with a writer', () => {
    const t = new Opened();
    const folio = folioOf(t.spawn());
    const [pin, reader, writer] = t.run(function* () {
      const first = yield* t.hold(folio, 'read');
      const others = [];
      for (const mode of MODES) others.push(yield* t.hold(folio, mode, false));
      for (const hold of [first, others[0], others[1]]) yield* t.release(hold);
      return others;
    });
    expect(pin).toBeGreaterThan(0);
    expect(reader).toBeGreaterThan(0);
    expect(writer).toBe(BUSY);
    expect(refcounts(t)).toEqual([1]);
  });

  it('to pin finds the VMAs that forks make meanwhile, and keeps the anon_vma beyond its last VMA', () => {
    const t = new Opened();
    const parent = t.spawn();
    const folio = folioOf(parent);
    const pin = t.run(() => t.hold(folio, 'pin'));
    const child = parent.fork();
    expect(owners(t.run(() => t.offered(pin, folio)))).toEqual(mmsOf(parent, child));
    child.exit();
    parent.exit();
    expect(t.run(() => t.offered(pin, folio))).toEqual([]);
    expect(live(t)).toBe(1);
    t.run(() => t.release(pin));
    expect(live(t)).toBe(0);
  });

  it("to pin a child's page keeps the root of the family, too", () => {
    const t = new Opened();
    const parent = t.spawn();
    const child = parent.fork();
    child.write(AT);
    const pin = t.run(() => t.hold(folioOf(child), 'pin'));
    child.exit();
    parent.exit();
    expect(live(t)).toBe(2);
    t.run(() => t.release(pin));
    expect(live(t)).toBe(0);
  });

  it('to write stays valid when the folio is anchored elsewhere before its release', () => {
    const t = new Opened();
    const [from, to] = [t.spawn(), t.spawn()];
    const folio = folioOf(from);
    const target = t.vmaOf(to);
    t.run(function* () {
      const hold = yield* t.hold(folio, 'write');
      t.rmap.anchor(folio, target, 'rehome');
      yield* t.release(hold);
    });
    expect(refcounts(t)).toEqual([1, 1]);
    expect(owners(t.offeredNow(folio))).toEqual(mmsOf(to));
  });

  it.each(MODES)('to %s leaves nothing behind, had it to wait or not', (mode) => {
    for (const wait of [true, false]) {
      const t = new Opened();
      const process = t.spawn();
      const hold = function* () {
        const taken = yield* t.hold(folioOf(process), mode, wait);
        yield* t.release(taken);
        return taken;
      };
      expect(t.run(hold)).toBeGreaterThan(0);
      expect(refcounts(t)).toEqual([1]);
      process.exit();
      expect(live(t)).toBe(0);
    }
  });

  it('to read is of the family that the folio has then, whenever it changes', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const t = new Opened({ stepping: true });
      const [from, to] = [t.spawn(), t.spawn()];
      const folio = folioOf(from);
      const target = t.vmaOf(to);
      let family = from;
      const rehome = function* () {
        const hold = yield* t.hold(folio, 'write');
        yield { kind: 'choice', object: t, label: 'while readers wait' } as const;
        t.rmap.anchor(folio, target, 'rehome');
        family = to;
        yield { kind: 'choice', object: t, label: 'while readers wait' } as const;
        yield* t.release(hold);
      };
      const read = function* () {
        const hold = yield* t.hold(folio, 'read');
        const offered = yield* t.offered(hold, folio);
        expect(owners(offered), `seed ${seed}`).toEqual(mmsOf(family));
        seen.add(family === from ? 'old' : 'new');
        yield* t.release(hold);
      };
      interleave(t.kernel, { rehome: rehome(), read: read() }, scheduler(seed));
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
  });

  it.each(MODES)('to %s is of the family that the folio has moved to, though the former is gone by then', (mode) => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const t = new Opened({ stepping: true });
      const [from, to] = [t.spawn(), t.spawn()];
      const folio = folioOf(from);
      const [source, target] = [t.vmaOf(from), t.vmaOf(to)];
      const rehome = function* () {
        const hold = yield* t.hold(folio, 'write');
        t.rmap.anchor(folio, target, 'rehome');
        yield* t.release(hold);
        // Its entry stays, so that the folio is mapped all the time.
        const work = t.rmap.unlink(source);
        if (work) yield* work;
      };
      const look = function* () {
        const hold = yield* t.hold(folio, mode);
        expect(hold, `seed ${seed}`).toBeGreaterThan(0);
        const [owner] = owners(yield* t.offered(hold, folio));
        seen.add(owner === to.mm ? 'new' : 'old');
        yield* t.release(hold);
      };
      interleave(t.kernel, { rehome: rehome(), look: look() }, scheduler(seed));
      expect(refcounts(t), `seed ${seed}`).toEqual([1]);
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
  });

  it.each(MODES.flatMap((mode) => [true, false].map((wait) => [mode, wait] as const)))(
    "to %s (waiting: %s) is never of somebody else's anon_vma, though its memory is used again meanwhile",
    (mode, wait) => {
      const outcomes = new Set<boolean>();
      for (let seed = 1; seed <= SCHEDULES; seed++) {
        const t = new Opened({ stepping: true });
        const process = t.spawn();
        const folio = folioOf(process);
        const other = t.kernel.spawn();
        other.mapAt(AT, PAGE_SIZE);
        // A guard needs an anon_vma and no page: a hold's caller would have a reference and so keep the frame from reuse.
        const hold = function* () {
          const taken = yield* t.hold(folio, mode, wait);
          outcomes.add(taken === GONE);
          if (taken === GONE || taken === BUSY) return;
          expect(owners(yield* t.offered(taken, folio)), `seed ${seed}`).not.toContain(other.mm);
          yield* t.release(taken);
        };
        interleave(
          t.kernel,
          { hold: hold(), exit: process.op.exit(), prepare: other.op.madvise(AT, PAGE_SIZE, MADV_GUARD_INSTALL) },
          scheduler(seed),
        );
        expect(live(t)).toBe(1);
      }
      expect(outcomes.size).toBe(2);
    },
  );
});

describe('a hold of a VMA', () => {
  it('to pin finds, after the VMA is gone, the VMAs forked from it', () => {
    const t = new Opened();
    const parent = t.spawn();
    const folio = folioOf(parent);
    const pin = t.run(() => t.holdVma(t.vmaOf(parent), 'pin'));
    const child = parent.fork();
    parent.exit();
    expect(owners(t.run(() => t.offered(pin, folio)))).toEqual(mmsOf(child));
    t.run(() => t.release(pin));
    child.exit();
    expect(live(t)).toBe(0);
  });

  it('to write keeps walks away', () => {
    const t = new Opened();
    const process = t.spawn();
    const vma = t.vmaOf(process);
    const answer = t.run(function* () {
      const hold = yield* t.holdVma(vma, 'write');
      const refused = yield* t.hold(folioOf(process), 'read', false);
      yield* t.release(hold);
      return refused;
    });
    expect(answer).toBe(BUSY);
    expect(refcounts(t)).toEqual([1]);
  });
});

describe('an anchor', () => {
  it('names an anon_vma unless it is empty, or the word of a design built on this one', () => {
    expect([0, 1, FOREIGN - 1, FOREIGN].map(isAnonVma)).toEqual([false, true, true, false]);
  });

  it("of a child's page leads to the child; of one that others may share, to the whole family", () => {
    const t = new Opened();
    const parent = t.spawn();
    const child = parent.fork();
    child.write(AT);
    const folio = folioOf(child);
    const vma = t.vmaOf(child);
    expect(owners(t.offeredNow(folio))).toEqual(mmsOf(child));
    t.rmap.anchor(folio, vma, 'new-shared');
    expect(owners(t.offeredNow(folio))).toEqual(mmsOf(parent, child));
    t.rmap.anchor(folio, vma, 'reuse');
    expect(owners(t.offeredNow(folio))).toEqual(mmsOf(child));
  });

  it('reaches the VMAs of its family', () => {
    const t = new Opened();
    const parent = t.spawn();
    const folio = folioOf(parent);
    const child = t.vmaOf(parent.fork());
    expect(t.rmap.reaches(folio, child)).toBe(true);
    expect(t.rmap.reaches(folio, t.vmaOf(t.spawn()))).toBe(false);
  });

  it('that a parent wrote into keeps its page when the last user reuses it', () => {
    const t = new Opened();
    const parent = t.spawn();
    const child = parent.fork();
    const folio = folioOf(child);
    expect(owners(t.offeredNow(folio))).toEqual(mmsOf(parent, child));
    parent.exit();
    child.write(AT);
    expect(folioOf(child)).toBe(folio);
    const grandchild = child.fork();
    expect(owners(t.offeredNow(folio))).toEqual(mmsOf(child, grandchild));
  });
});
