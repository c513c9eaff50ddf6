import {
  type Address,
  type Mm,
  type Op,
  PAGE_SIZE,
  pageOf,
  type RmapServices,
  type Soon,
  type Vma,
  type VmaAdjust,
} from '@rmap-lab/core';
import type { Context } from './context.js';
import type { Contexts } from './contexts.js';
import type { Claim, RecordMemory } from './record-memory.js';

/** When the records of remapped memory are made and dropped. */
export interface Remaps {
  /** `vma` has its first fault. @throws NoMemory */
  prepare(vma: Vma): Soon<void>;
  /** `child` is a fresh copy in another address space. @throws NoMemory */
  fork(child: Vma): Soon<void>;
  /** `to` will hold entries of `from`. @throws NoMemory */
  clone(to: Vma, from: Vma, why: 'split' | 'move' | 'merge'): Soon<void>;
  /** Ranges change. @throws NoMemory, before they did */
  adjust(change: VmaAdjust): Op<void>;
  /** `vma` holds no entry any more. */
  unlink(vma: Vma): Op<void>;
}

/** What this design adds to a VMA: a flag. */
export interface VmaFields {
  /** The records of its context say where its pages are. */
  recorded: boolean;
  /** Where that is so only once the entries have left for good, as in the proof of concept: it goes on being taken for faulted. */
  kept: boolean;
}

/** The offsets of a VMA with the given range. */
export const claimOf = (start: number, end: number, anonPgoff: number): Claim => ({
  first: anonPgoff,
  end: anonPgoff + (end - start) / 4096,
  delta: pageOf(start as Vma['start']) - anonPgoff,
});
/** The offsets of a VMA as it is now. */
export const ownClaim = ({ start, end, anonPgoff }: Vma): Claim => claimOf(start, end, anonPgoff);

/**
 * Records that are never missing and never stale: a new one is there before an entry is, an old one until the last entry has
 * left, and each ends where its VMA does. All changes are made under the context's lock, so a walk sees one state of them.
 */
export class AddMoveDrop implements Remaps {
  constructor(
    private readonly services: RmapServices,
    private readonly contexts: Contexts,
    private readonly memory: RecordMemory,
    private readonly fields: { of(vma: Vma): VmaFields },
  ) {}

  prepare(vma: Vma): Soon<void> {
    if (vma.delta !== 0 && !this.fields.of(vma).recorded) return this.record(vma);
  }

  fork(child: Vma): Soon<void> {
    if (child.delta !== 0) return this.record(child);
  }

  /** A split's halves live at one delta, so the record needs cutting only when the split is certain. */
  clone(to: Vma, _from: Vma, why: 'split' | 'move' | 'merge'): Soon<void> {
    if (why !== 'split' && to.delta !== 0) return this.record(to);
  }

  *adjust(change: VmaAdjust): Op<void> {
    const { changes, inserted, removed } = change;
    const gone = removed.filter((vma) => vma.faulted);
    const kept = changes.filter(({ vma }) => vma.faulted);
    if (kept.length === 0 && gone.length === 0) return yield* change.apply();
    const context = this.contexts.of(changes[0].vma.mm);
    const claims = kept.map(({ start, end, anonPgoff }) => claimOf(start, end, anonPgoff));
    const vmas = kept.map(({ vma }) => vma);
    if (inserted?.faulted) {
      claims.push(ownClaim(inserted));
      vmas.push(inserted);
    }
    const needed = claims.filter(({ delta }) => delta !== 0);
    const old = [...vmas, ...gone].filter((vma) => this.fields.of(vma).recorded).map(ownClaim);
    yield* this.memory.lockWithRoom(context, needed);
    yield* change.apply();
    this.rewrite(context, needed, old);
    for (const claim of old) yield* this.mend(context, changes[0].vma.mm, claim);
    claims.forEach(({ delta }, i) => {
      this.fields.of(vmas[i]).recorded = delta !== 0;
    });
    for (const vma of gone) this.fields.of(vma).recorded = false;
    context.lock.writeUnlock();
    this.memory.settle(context);
  }

  *unlink(vma: Vma): Op<void> {
    const context = this.contexts.of(vma.mm);
    const fields = this.fields.of(vma);
    // Also without a record: a walk may still be inside.
    yield* context.lock.write();
    if (fields.recorded) {
      const claim = ownClaim(vma);
      context.records.drop(claim.first, claim.end, claim.delta);
      yield* this.mend(context, vma.mm, claim);
      this.services.count('record');
      fields.recorded = false;
    }
    context.lock.writeUnlock();
    this.memory.settle(context);
  }

  private *record(vma: Vma): Op<void> {
    const context = this.contexts.of(vma.mm);
    const claim = ownClaim(vma);
    yield* this.memory.lockWithRoom(context, [claim]);
    context.records.add(claim.first, claim.end, claim.delta);
    this.services.count('record');
    this.fields.of(vma).recorded = true;
    context.lock.writeUnlock();
    this.memory.settle(context);
  }

  /** Where a record ended that was dropped, those of others were cut: they become whole again, or memory that moves on and on would cut them ever finer. */
  private *mend({ records }: Context, { vmas }: Mm, dropped: Claim): Op<void> {
    for (const border of [dropped.first, dropped.end]) {
      const delta = records.across(border);
      if (delta === null) continue;
      const at = ((border + delta) * PAGE_SIZE) as Address;
      const vma = yield* vmas.find(at);
      if (vma !== null && vma.start < at && vma.delta === delta) records.heal(border);
    }
  }

  /** All of `claims`, and nothing more of what `old` had. */
  private rewrite({ records }: Context, claims: readonly Claim[], old: readonly Claim[]): void {
    for (const { first, end, delta } of claims) records.add(first, end, delta);
    for (const { first, end, delta } of old) {
      const same = claims.filter((claim) => claim.delta === delta);
      const from = Math.min(end, ...same.map((claim) => claim.first));
      const to = Math.max(first, ...same.map((claim) => claim.end));
      records.drop(first, from, delta);
      records.drop(to, end, delta);
    }
    for (const { first, end } of claims) records.join(first, end);
    if (claims.length > 0 || old.length > 0) this.services.count('record', claims.length + old.length);
  }
}
