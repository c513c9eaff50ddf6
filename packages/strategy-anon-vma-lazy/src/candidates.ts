import type { Address, Op, Pgoff, Vma } from '@rmap-lab/core';
import type { LazyHold } from './holds.js';
import type { LazyState } from './state.js';

/** The VMAs to look at for the offsets first..last of a folio that points at `root`, found in mm_mt under RCU alone. */
export function* candidates(state: LazyState, root: Vma, first: Pgoff, last: Pgoff): Op<readonly Vma[]> {
  const { services, options } = state;
  if (state.vmas.of(root).members === 0) return []; // nothing of it is mapped, and the address space may be gone
  if (options.lookup === 'rootOnly') return root.attached ? [root] : [];
  const base = yield* state.base(root);
  const start = (base + first * PAGE) as Address;
  const end = (base + (last + 1) * PAGE) as Address;
  services.count('vma-lookup');
  services.rcu.readLock();
  const { vmas } = root.mm;
  const found = options.lookup === 'range' ? yield* vmas.overlapping(start, end) : only(yield* vmas.find(start), end);
  services.rcu.readUnlock();
  return found;
}

/** The same for a pin, which keeps no lock of the table: it has it for as long as it looks. */
export function* pinnedCandidates(state: LazyState, { root, lock }: LazyHold, first: Pgoff, last: Pgoff): Op<readonly Vma[]> {
  const rwsem = lock === null ? (state.lockTable?.of(state.ref(root)) ?? null) : null;
  if (rwsem !== null) yield* rwsem.read();
  const found = yield* candidates(state, root, first, last);
  rwsem?.readUnlock();
  return found;
}

const PAGE = 4096;

const only = (vma: Vma | null, end: Address): Vma[] => (vma !== null && vma.start < end ? [vma] : []);
