import type { VmaFields } from './anon-vma-chain.js';

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
  const from = source?.topology ?? null;
  const into = target.topology;
  if (from === into) return true;
  if (from !== null && into !== null) return false;
  if (how === 'bridge') return true;
  if (from === null) return !target.isForkChild;
  // Growing in place names no source: the kernel has nothing to apply the test to.
  return how === 'grown' || !source!.isForkChild;
}
