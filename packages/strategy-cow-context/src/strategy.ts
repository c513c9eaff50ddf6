import type {
  Folio,
  Mm,
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
import { type Choices, POC, PRESETS, type Preset, REFERENCE } from './choices.js';
import { holdFolio, holdVma, release } from './hold.js';
import { inspect } from './inspect.js';
import { ownerOf, repoint } from './owner.js';
import { State } from './state.js';
import { walk } from './walk.js';

/** One context per address space, in the tree that forks make; mm_mt says where its pages are, records say where they moved. */
export function cowContext(preset: Preset | Choices = 'reference'): RmapStrategy {
  const choices = typeof preset === 'string' ? PRESETS[preset] : preset;
  if (choices === undefined) throw new RangeError(`preset '${preset}' is none of ${Object.keys(PRESETS).join(', ')}`);
  const locked = choices.walkLocking === 'contextLock';
  return {
    name: 'cow-context',
    contract: 1,
    prepareUnder: 'vma-lock',
    ksm: 'anchors',
    locks: [
      ...(locked ? [{ name: 'cow_context', slot: 'above-ptl', kind: 'rwsem' } as const] : []),
      { name: 'cow_children', slot: 'below-ptl', kind: 'spin' },
    ],
    // A pointer in the address space, and one in the folio beside `mapping`. What a VMA no longer needs is not taken off.
    bytes: { vma: 0, mm: 8, folio: 8 },
    state: 'managed',
    growth: {
      vmas: 'constant',
      children: 'linear',
      depth: 'linear',
      generations: choices.compactDead ? 'constant' : 'linear',
      siblings: 'constant',
    },
    unsupported:
      preset === 'poc' ? { ksm: 'pages of KSM are found through anon_vmas, which the proof of concept leaves empty' } : {},
    create: (services) => new CowContextRmap(services, choices),
  };
}

/** `reference` with one choice as in the proof of concept: shows what that choice costs, and what goes wrong without it. */
const without = (choice: keyof Choices): [string, () => RmapStrategy] => [
  `without-${choice}`,
  () => cowContext({ ...REFERENCE, [choice]: POC[choice] }),
];

/** The presets, as `cow-context:poc` and the like name them: `reference`, `poc`, and `without-<choice>` for each choice. */
export const presets: Readonly<Record<string, () => RmapStrategy>> = {
  reference: () => cowContext('reference'),
  poc: () => cowContext('poc'),
  ...Object.fromEntries((Object.keys(REFERENCE) as (keyof Choices)[]).map(without)),
};

class CowContextRmap implements Rmap {
  private readonly state: State;

  constructor(
    private readonly services: RmapServices,
    choices: Choices,
  ) {
    this.state = new State(services, choices);
  }

  mmInit(mm: Mm): Op<void> {
    return this.state.contexts.create(mm);
  }

  *forkMm(child: Mm, parent: Mm, copy: () => Op<void>): Op<void> {
    const { contexts, choices } = this.state;
    const context = contexts.of(child);
    context.born = Number.POSITIVE_INFINITY;
    if (choices.linkChild === 'beforeCopy') yield* contexts.link(context, contexts.of(parent));
    yield* copy();
    if (choices.linkChild === 'afterCopy') yield* contexts.link(context, contexts.of(parent));
    context.born = ++contexts.forks;
  }

  *mmExit(mm: Mm): Op<void> {
    const { contexts, memory } = this.state;
    const context = contexts.of(mm);
    yield* context.lock.write();
    context.mm = null;
    context.records.clear();
    context.lock.writeUnlock();
    memory.settle(context);
    yield* contexts.put(context);
  }

  prepare(vma: Vma): Soon<void> {
    return this.state.remaps.prepare(vma);
  }

  fork(child: Vma): Soon<void> {
    return this.state.remaps.fork(child);
  }

  clone(to: Vma, from: Vma, why: 'split' | 'move' | 'merge'): Soon<void> {
    return this.state.remaps.clone(to, from, why);
  }

  unlink(vma: Vma): Op<void> {
    return this.state.remaps.unlink(vma);
  }

  adjust(change: VmaAdjust): Op<void> {
    return this.state.remaps.adjust(change);
  }

  /** A walk looks at all places of an address space under its lock, so an entry may change its place between walks only. */
  *move(moving: PageTableMove): Op<void> {
    const { lock } = this.state.contexts.of(moving.from.mm);
    while (yield* moving.next()) {
      yield* lock.write();
      yield* moving.step();
      lock.writeUnlock();
    }
  }

  anchor(folio: Folio, vma: Vma, event: 'new' | 'new-shared' | 'reuse' | 'rehome'): Soon<void> {
    const { contexts, choices } = this.state;
    const own = contexts.of(vma.mm);
    if (event === 'reuse' || event === 'rehome') return repoint(this.state, folio, own, event);
    if (event === 'new' || choices.sharedOwner === 'faulting') {
      own.refs++;
      this.services.folios.setAnchor(folio, own.ref);
    } else this.services.folios.setAnchor(folio, contexts.topmost(own).ref);
  }

  /** The proof of concept does not ask. */
  reaches(folio: Folio, vma: Vma): boolean {
    const { contexts, choices } = this.state;
    return choices.sharedOwner === 'faulting' || contexts.isBelow(contexts.of(vma.mm), ownerOf(this.state, folio));
  }

  transfer(to: Folio, from: Folio): void {
    const owner = ownerOf(this.state, from);
    owner.refs++;
    this.services.folios.setAnchor(to, owner.ref);
  }

  drop(folio: Folio): Soon<void> {
    const owner = ownerOf(this.state, folio);
    if (owner.refs > 2) owner.refs--;
    else return this.state.contexts.put(owner);
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
