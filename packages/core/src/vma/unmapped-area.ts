import { KernelError } from '../errors.js';
import type { Machine } from '../machine.js';
import type { Mm } from '../mm/mm.js';
import { PMD_SIZE } from '../page-table/page-table.js';
import { type Address, alignDown, alignUp, isAligned, PAGE_SIZE, TASK_SIZE } from '../units.js';
import { VM_GROWSDOWN } from './vm-flags.js';

/** Lowest address that may be mapped (mmap_min_addr). */
export const MMAP_MIN_ADDR = 65536;
/** Pages kept free below a stack (stack_guard_gap), in bytes. */
export const STACK_GUARD_GAP = 256 * PAGE_SIZE;
/** Below this the search goes down: leaves room for the stack (mmap_base without randomisation). */
const MMAP_BASE = (TASK_SIZE - 128 * 1024 * 1024) as Address;
/** Where nothing is left below, it goes up from here (TASK_UNMAPPED_BASE). */
const UNMAPPED_BASE = alignUp(Math.floor(TASK_SIZE / 3));

/** First byte that a mapping below `vma` may not reach: a stack keeps a gap (vm_start_gap). */
const startGap = (vma: { flags: number; start: number }): number =>
  (vma.flags & VM_GROWSDOWN) !== 0 ? Math.max(0, vma.start - STACK_GUARD_GAP) : vma.start;

/** What mmap(2) makes of an address that is a wish only: the page it lies in, or the lowest one there may be (round_hint_to_min). */
export function roundHint(hint: number): number {
  const page = alignDown(hint);
  return page <= 0 ? 0 : Math.max(page, MMAP_MIN_ADDR);
}

/** What is to be placed. */
export interface Wanted {
  /** In bytes, whole pages. */
  readonly length: number;
  /** Where it would best lie; 0: anywhere. */
  readonly hint: number;
  /** Private anonymous memory; anywhere, and of whole leaf tables, it begins at one, so that large folios fit. */
  readonly anonymous: boolean;
}

/**
 * Where memory may go: at the hint if that is free, else in the highest hole below the mmap base, else in the lowest one
 * (__get_unmapped_area, arch_get_unmapped_area_topdown). @throws ENOMEM; EPERM for a hint below mmap_min_addr
 */
export function unmappedArea(m: Machine, mm: Mm, { length, hint, anonymous }: Wanted, call: 'mmap' | 'mremap'): Address {
  if (length > TASK_SIZE) throw new KernelError('ENOMEM', call, `${length} bytes are more than the address space`);
  if (hint !== 0 && hint <= TASK_SIZE - length && isFree(mm, hint, length)) return fixedArea(hint, length, call);
  const whole = hint === 0 && anonymous && length % PMD_SIZE === 0;
  const found = (whole ? alignedHole(mm, length) : null) ?? hole(mm, length);
  if (found === null)
    throw new KernelError(
      'ENOMEM',
      call,
      `no hole of ${length} bytes is left (${mm.mapCount} VMAs of at most ${m.options.maxMapCount})`,
    );
  return found;
}

const hole = (mm: Mm, length: number): Address | null => topDown(mm, length) ?? bottomUp(mm, length);

/** At a multiple of PMD_SIZE, if there is room for as much more; never at the very start of that (thp_get_unmapped_area_vmflags). */
function alignedHole(mm: Mm, length: number): Address | null {
  const at = hole(mm, length + PMD_SIZE);
  return at === null ? null : ((at - (at % PMD_SIZE) + PMD_SIZE) as Address);
}

/** An address that the caller insists on (get_unmapped_area, security_mmap_addr). @throws ENOMEM, EINVAL, EPERM */
export function fixedArea(at: number, length: number, call: 'mmap' | 'mremap'): Address {
  if (length > TASK_SIZE || at > TASK_SIZE - length) {
    throw new KernelError('ENOMEM', call, `0x${at.toString(16)}+${length} ends behind the user address space (47 bits)`);
  }
  if (!isAligned(at)) throw new KernelError('EINVAL', call, `fixed address 0x${at.toString(16)} is not page-aligned`);
  if (at < MMAP_MIN_ADDR)
    throw new KernelError('EPERM', call, `fixed address 0x${at.toString(16)} is below mmap_min_addr (64 KiB)`);
  return at as Address;
}

function isFree(mm: Mm, at: number, length: number): boolean {
  const next = mm.tree.find(at);
  if (next !== null && at + length > startGap(next)) return false;
  return true;
}

function topDown(mm: Mm, length: number): Address | null {
  let high: number = MMAP_BASE;
  for (;;) {
    const at = mm.tree.highestGap(length, MMAP_MIN_ADDR, high);
    if (at === null) return null;
    const next = mm.tree.find(at + length);
    if (next === null || startGap(next) >= at + length) return at;
    high = startGap(next);
    if (high < MMAP_MIN_ADDR + length) return null;
  }
}

function bottomUp(mm: Mm, length: number): Address | null {
  let low = UNMAPPED_BASE;
  for (;;) {
    const at = mm.tree.lowestGap(length, low, TASK_SIZE);
    if (at === null) return null;
    const next = mm.tree.find(at);
    if (next === null || startGap(next) >= at + length) return at;
    low = next.end;
  }
}
