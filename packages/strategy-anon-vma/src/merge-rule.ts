import type { VmaFields } from './anon-vma-chain.js';

/** Links to an ancestor's anon_vma stay for good, so this remembers a fork however little is still shared (vma_is_fork_child). */
const isForkChild = ({ links }: VmaFields): boolean => links > 1;

/**
 * Whether the memory of `source` (null: a fresh range) may become part of `target` (is_mergeable_anon_vma). One with links
 * of its own may take in one without, or give it a copy of them, but not if it came from a fork: its links lead to VMAs of
 * other processes, and a root lock shared with more of them would only be the more contended.
 */
export function canMerge(
  source: VmaFields | null,
  target: VmaFields,
  how: 'new' | 'modified' | 'moved' | 'grown' | 'bridge',
): boolean {
  const from = source?.anonVma ?? null;
  const into = target.anonVma;
  if (from === into) return true;
  if (from !== null && into !== null) return false;
  if (how === 'bridge') return true;
  if (from === null) return !isForkChild(target);
  // Growing in place names no source: the kernel has nothing to apply the test to.
  return how === 'grown' || !isForkChild(source!);
}
