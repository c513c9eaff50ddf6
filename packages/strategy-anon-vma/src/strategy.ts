import type {
  Folio,
  ObjectGraph,
  Op,
  PageTableMove,
  Rmap,
  RmapHold,
  RmapQuery,
  RmapServices,
  RmapStrategy,
  RmapVisitor,
  Soon,
  Vma,
  VmaAdjust,
} from '@rmap-lab/core';
import { adjust } from './adjust.js';
import { VmaFields } from './anon-vma-chain.js';
import { clone } from './clone.js';
import { fork } from './fork.js';
import { inspect } from './inspect.js';
import { holdFolio, holdVma, release } from './lock.js';
import { canMerge } from './merge-rule.js';
import { move } from './move.js';
import { prepare } from './prepare.js';
import { State } from './state.js';
import { unlink } from './unlink.js';
import { walk } from './walk.js';

/** What Linux 6.18 does: every VMA with anonymous pages is linked to its own anon_vma and to those of all its ancestors. */
export function anonVma(): RmapStrategy {
  return {
    name: 'anon-vma',
    contract: 1,
    prepareUnder: 'mmap-lock',
    ksm: 'anchors',
    locks: [
      { name: 'anon_vma', slot: 'above-ptl', kind: 'rwsem' },
      { name: 'page_table_lock', slot: 'below-ptl', kind: 'spin' },
    ],
    // Its fields are part of Linux's own vm_area_struct, mm_struct and folio.
    bytes: { vma: 0, mm: 0, folio: 0 },
    state: 'managed',
    growth: { vmas: 'linear', children: 'linear', depth: 'quadratic', generations: 'constant', siblings: 'constant' },
    create: (services) => new AnonVmaRmap(services),
  };
}

class AnonVmaRmap implements Rmap {
  private readonly state: State;

  constructor(private readonly services: RmapServices) {
    this.state = new State(services, () => new VmaFields());
  }

  prepare(vma: Vma): Soon<void> {
    if (this.state.vmas.of(vma).anonVma === null) return prepare(this.state, vma);
  }

  fork(child: Vma, parent: Vma): Op<void> {
    return fork(this.state, child, parent);
  }

  clone(to: Vma, from: Vma): Op<void> {
    return clone(this.state, to, from);
  }

  unlink(vma: Vma): Op<void> {
    return unlink(this.state, vma);
  }

  canMerge(source: Vma | null, target: Vma, how: 'new' | 'modified' | 'moved' | 'grown' | 'bridge'): boolean {
    const { vmas } = this.state;
    return canMerge(source === null ? null : vmas.of(source), vmas.of(target), how);
  }

  adjust(change: VmaAdjust): Op<void> {
    return adjust(this.state, change);
  }

  move(moving: PageTableMove): Op<void> {
    return move(this.state, moving);
  }

  /** A page that others may share belongs to the top of the family, whose tree has them all (__folio_set_anon). */
  anchor(folio: Folio, vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): void {
    const own = this.state.vmas.of(vma).anonVma!;
    this.services.folios.setAnchor(folio, event === 'new-shared' ? own.root.ref : own.ref);
  }

  /** The family is what the kernel compares (ksm_might_need_to_copy). */
  reaches(folio: Folio, vma: Vma): boolean {
    const { folios, rcu } = this.services;
    rcu.readLock();
    const { root } = this.state.anonVmas.at(folios.anchor(folio));
    rcu.readUnlock();
    return root === this.state.vmas.of(vma).anonVma?.root;
  }

  hold(folio: Folio, mode: 'pin' | 'read' | 'write', wait: boolean): Op<RmapHold> {
    return holdFolio(this.state, folio, mode, wait);
  }

  holdVma(vma: Vma, mode: 'pin' | 'write'): Op<RmapHold> {
    return holdVma(this.state, vma, mode);
  }

  release(hold: RmapHold): Op<void> {
    return release(this.state, hold);
  }

  walk(hold: RmapHold, query: RmapQuery, visitor: RmapVisitor): Op<void> {
    return walk(this.state, hold, query, visitor);
  }

  inspect(): ObjectGraph {
    return inspect(this.state);
  }
}
