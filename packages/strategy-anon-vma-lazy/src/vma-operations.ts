import type { Op, PageTableMove, Vma, VmaAdjust } from '@rmap-lab/core';
import {
  adjust as adjustRegular,
  cloneChain,
  clone as cloneRegular,
  fork as forkRegular,
  needsRmapLock,
  unlink as unlinkRegular,
} from '@rmap-lab/strategy-anon-vma/parts';
import { rewriteAll } from './rewrite.js';
import { becomeRoot, joinFamily, leaveFamily } from './root-vma.js';
import { baseOf, type LazyState } from './state.js';
import { upgrade } from './upgrade.js';

/** Upgrades `parent` and links `child` to all that it is linked to then; no anon_vma for the child's own pages unless an abandoned one serves (anon_vma_fork). @throws NoMemory; an upgrade stays */
export function* fork(state: LazyState, child: Vma, parent: Vma): Op<void> {
  yield* upgrade(state, parent);
  if (!state.smallEnough(child)) return yield* forkRegular(state, child, parent);
  yield* cloneChain(state, child, parent, true);
  const fields = state.vmas.of(child);
  if (fields.anonVma !== null) return;
  if (state.options.childFolio === 'lazyChild') return becomeRoot(state, child);
  fields.anonVma = state.vmas.of(parent).anonVma!;
  fields.anonVma.numActiveVmas++;
  fields.borrowed = true;
}

/** Makes `to` what `from` is; a move upgrades first, as addresses will differ. @throws NoMemory, `to` not linked; an upgrade stays */
export function* clone(state: LazyState, to: Vma, from: Vma, why: 'split' | 'move' | 'merge'): Op<void> {
  if (why === 'move') yield* beforeMove(state, from);
  const source = state.vmas.of(from);
  if (source.newest !== null) yield* cloneRegular(state, to, from);
  state.vmas.of(to).borrowed = source.borrowed;
  if (source.root !== null && why !== 'move') joinFamily(state, to, source.root);
}

function* beforeMove(state: LazyState, from: Vma): Op<void> {
  const { isLazy } = state.vmas.of(from);
  yield* upgrade(state, from);
  if (isLazy && state.options.mremapFix === 'eager') yield* rewriteAll(state, from);
}

/** Undoes all of `vma`, which holds no entry any more. */
export function* unlink(state: LazyState, vma: Vma): Op<void> {
  const fields = state.vmas.of(vma);
  const { root } = fields;
  yield* unlinkRegular(state, vma);
  fields.borrowed = false;
  if (root === null) return;
  if (state.lockTable !== null) yield* state.lockTable.waitForWalks(state.ref(root));
  yield* leaveFamily(state, vma);
}

/** Changes ranges. Of VMAs that become one, all may hold lazy pages of the same root, so each that lives on must keep it. */
export function* adjust(state: LazyState, change: VmaAdjust): Op<void> {
  const concerned = [...change.changes.map(({ vma }) => vma), ...change.removed];
  const root = concerned.map((vma) => state.vmas.of(vma).root).find((each) => each !== null) ?? null;
  if (root === null) return yield* adjustRegular(state, change);
  for (const { vma } of change.changes) {
    const { anonVma, root: own } = state.vmas.of(vma);
    if (own === null && anonVma !== null) joinFamily(state, vma, root);
  }
  const { lockTable } = state;
  if (lockTable !== null) yield* lockTable.write(state.ref(root));
  yield* adjustRegular(state, change);
  for (const { vma } of change.changes) {
    const fields = state.vmas.of(vma);
    if (fields.members > 0) fields.base = baseOf(vma.start, vma.anonPgoff);
  }
  lockTable?.writeUnlock(state.ref(root));
}

/** Moves entries, with the locks that a regular VMA's would take, and that of the table of locks. */
export function* move(state: LazyState, moving: PageTableMove): Op<void> {
  const { anonVma, root } = state.vmas.of(moving.from);
  const table = root === null ? null : state.lockTable;
  while (yield* moving.next()) {
    const locked = anonVma !== null && needsRmapLock(moving);
    if (table !== null) yield* table.write(state.ref(root!));
    if (locked) yield* anonVma.root.rwsem.write();
    yield* moving.step();
    if (locked) anonVma.root.rwsem.writeUnlock();
    table?.writeUnlock(state.ref(root!));
  }
}
