import type {
  Folio,
  LockClass,
  ObjectGraph,
  Op,
  PageTableMove,
  PteSpan,
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
import { anchor, reaches } from './anchor.js';
import { holdFolio, holdVma, release } from './hold.js';
import { inspect } from './inspect.js';
import { canMerge, survivor } from './merge-rule.js';
import { type LazyOptions, PRESETS, type Preset } from './options.js';
import { prepare } from './prepare.js';
import { mapping } from './rewrite.js';
import { LazyState } from './state.js';
import { adjust, clone, fork, move, unlink } from './vma-operations.js';
import { walk } from './walk.js';

const TABLE: LockClass = { name: 'anon_vma_locks', slot: 'above-ptl', kind: 'rwsem' };

/**
 * ANON_VMA_LAZY (2026): a VMA gets an anon_vma when it is forked or moved, not when it is first touched; until then its
 * pages point at the VMA that was touched first. What `options` leave out is as its author states it, as in the preset `stated`.
 */
export function anonVmaLazy(options: Preset | Partial<LazyOptions> = 'intended'): RmapStrategy {
  const named = typeof options === 'string';
  const all: LazyOptions | undefined = named ? PRESETS[options] : { ...PRESETS.stated, ...options };
  if (all === undefined) throw new RangeError(`preset '${options}' is none of ${Object.keys(PRESETS).join(', ')}`);
  return {
    name: 'anon-vma-lazy',
    contract: 1,
    prepareUnder: all.maxVmaPages === Number.POSITIVE_INFINITY ? 'vma-lock' : 'mmap-lock',
    ksm: 'anchors',
    locks: [
      ...(all.walkLock === 'hashedLock' ? [TABLE] : []),
      { name: 'anon_vma', slot: 'above-ptl', kind: 'rwsem' },
      { name: 'page_table_lock', slot: 'below-ptl', kind: 'spin' },
    ],
    // vm_rcuref of the series and the root, which here outlives the upgrade and so can't share vma->anon_vma with it; perhaps the copy of the base.
    bytes: { vma: all.base === 'cached' ? 24 : 16, mm: 0, folio: 0 },
    state: 'managed',
    growth: { vmas: 'constant', children: 'linear', depth: 'quadratic', generations: 'constant', siblings: 'constant' },
    create: (services) => new AnonVmaLazyRmap(services, all),
  };
}

/** The presets, as `anon-vma-lazy:posted` and the like name them. */
export const presets: Readonly<Record<Preset, () => RmapStrategy>> = {
  intended: () => anonVmaLazy('intended'),
  stated: () => anonVmaLazy('stated'),
  posted: () => anonVmaLazy('posted'),
};

class AnonVmaLazyRmap implements Rmap {
  readonly survivor?: (left: Vma, right: Vma) => Vma | null;
  private readonly state: LazyState;

  constructor(services: RmapServices, options: LazyOptions) {
    this.state = new LazyState(services, options);
    if (options.preferRoot === 'on') this.survivor = (left, right) => survivor(this.state, left, right);
  }

  prepare(vma: Vma): Soon<void> {
    return prepare(this.state, vma);
  }

  fork(child: Vma, parent: Vma): Op<void> {
    return fork(this.state, child, parent);
  }

  clone(to: Vma, from: Vma, why: 'split' | 'move' | 'merge'): Op<void> {
    return clone(this.state, to, from, why);
  }

  unlink(vma: Vma): Op<void> {
    return unlink(this.state, vma);
  }

  canMerge(source: Vma | null, target: Vma, how: 'new' | 'modified' | 'moved' | 'grown' | 'bridge'): boolean {
    return canMerge(this.state, source, target, how);
  }

  adjust(change: VmaAdjust): Op<void> {
    return adjust(this.state, change);
  }

  move(moving: PageTableMove): Op<void> {
    return move(this.state, moving);
  }

  anchor(folio: Folio, vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): void {
    anchor(this.state, folio, vma, event);
  }

  reaches(folio: Folio, vma: Vma): boolean {
    return reaches(this.state, folio, vma);
  }

  mapping(span: PteSpan, why: 'new' | 'fork' | 'move', from: PteSpan | null): void {
    if (why !== 'new' || this.state.options.swapinFix === 'on') mapping(this.state, span, why, from);
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
