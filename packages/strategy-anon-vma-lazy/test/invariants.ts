import type { Kernel } from '@rmap-lab/core';
/** TODO */
export function brokenInvariant(_kernel: Kernel): string | null {
  return null;
}
