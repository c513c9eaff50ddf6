import type { Machine } from '../machine.js';
import { run, runAlone } from '../sync/op.js';
import type { Folio, Pfn } from '../units.js';
import { type Mapping, mappingsOf } from './ground-truth.js';
import { walkFolio } from './walk.js';

/**
 * The mappings of a folio that its walk had to find and did not. A page that was shared when KSM took it over is found only where KSM
 * keeps an item of it: the pin of a child does not lead to its parent, in the kernel neither (write_protect_page, rmap_walk_ksm).
 */
export function lostMappings(m: Machine, folio: Folio): readonly Mapping[] {
  const seen = new Set<string>();
  const walk = walkFolio(m, folio, (vma, address) => {
    seen.add(`${vma.mm.id} ${address}`);
    return true;
  });
  m.options.stepping ? runAlone(walk) : run(walk);
  const lost = mappingsOf(m, folio).filter(({ mm, address }) => !seen.has(`${mm.id} ${address}`));
  if (!m.ksmByAnchors || !m.ksm.sharedBefore.has(folio as number as Pfn)) return lost;
  const items = m.ksm.stable.get(folio as number as Pfn) ?? [];
  return lost.filter(({ mm, address }) => items.some((item) => item.mmId === mm.id && item.address === address));
}
