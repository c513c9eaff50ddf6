import { type Op, pageOf, type RmapServices, type Soon, type Vma, type VmaAdjust } from '@rmap-lab/core';
import type { Contexts } from './contexts.js';
import type { Claim, RecordMemory } from './record-memory.js';
import { claimOf, ownClaim, type Remaps, type VmaFields } from './remaps.js';

/**
 * Records as the proof of concept keeps them. A move writes the new delta over the old one, in whole records, before any entry
 * has left; a move back to the place of birth returns before it drops anything; a change of range drops first and adds then.
 */
export class ReplaceFirst implements Remaps {
  constructor(
    private readonly services: RmapServices,
    private readonly contexts: Contexts,
    private readonly memory: RecordMemory,
    private readonly fields: { of(vma: Vma): VmaFields },
  ) {}

  /** Private file memory only: anonymous memory is at home at its first fault, or was never taken for unfaulted. */
  prepare(vma: Vma): Soon<void> {
    if (vma.delta !== 0 && !this.fields.of(vma).kept) return this.record(vma, ownClaim(vma));
  }

  fork(child: Vma): Soon<void> {
    if (child.delta !== 0) return this.record(child, ownClaim(child));
  }

  /** Only a move to a VMA of its own has a record made here; a merge has it made by the change of range. */
  clone(to: Vma, from: Vma, why: 'split' | 'move' | 'merge'): Soon<void> {
    if (why !== 'move' || to.attached || to.delta === 0) return;
    const { records } = this.contexts.of(to.mm);
    const claim = ownClaim(to);
    // Taken from the start of the source, whatever part of it moves.
    const old = pageOf(from.start) - to.anonPgoff;
    this.fields.of(to).recorded = true;
    this.services.count('record');
    if (!records.replace(claim.first, claim.end, old, claim.delta)) return this.record(to, claim);
  }

  *adjust(change: VmaAdjust): Op<void> {
    const { changes, inserted, removed } = change;
    for (const { vma, start, end, anonPgoff } of changes) {
      if (!vma.faulted || vma.delta === 0) continue;
      const next = claimOf(start, end, anonPgoff);
      yield* this.memory.lockWithRoom(this.contexts.of(vma.mm), [next]);
      this.forget(vma);
      this.contexts.of(vma.mm).lock.writeUnlock();
      yield* this.record(vma, { ...next, delta: vma.delta });
    }
    if (inserted?.faulted && inserted.delta !== 0) yield* this.record(inserted, ownClaim(inserted));
    for (const vma of removed) this.fields.of(vma).recorded = false;
    yield* change.apply();
  }

  /** Nothing when the VMA stays mapped: it is not even marked as unfaulted. */
  *unlink(vma: Vma): Op<void> {
    const fields = this.fields.of(vma);
    if (vma.attached) fields.kept = true;
    else if (fields.recorded) this.forget(vma);
    this.memory.settle(this.contexts.of(vma.mm));
  }

  private forget(vma: Vma): void {
    const { first, end, delta } = ownClaim(vma);
    this.contexts.of(vma.mm).records.drop(first, end, delta, true);
    this.services.count('record');
    this.fields.of(vma).recorded = false;
  }

  private *record(vma: Vma, claim: Claim): Op<void> {
    const context = this.contexts.of(vma.mm);
    yield* this.memory.lockWithRoom(context, [claim]);
    context.records.add(claim.first, claim.end, claim.delta);
    this.services.count('record');
    this.fields.of(vma).recorded = true;
    context.lock.writeUnlock();
    this.memory.settle(context);
  }
}
