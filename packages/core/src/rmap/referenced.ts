import { isLarge, totalMapcount } from '../folio/mapcount.js';
import { WAS_USED } from '../folio/mem-map.js';
import { mlockMissed } from '../folio/mlock.js';
import type { Machine } from '../machine.js';
import { YOUNG } from '../page-table/pte.js';
import type { Op } from '../sync/op.js';
import type { Folio } from '../units.js';
import { VM_LOCKED } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';
import { walkFolio } from './walk.js';

/** Whether a folio was used lately, and in how many places; a locked mapping of all of it ends the search (folio_referenced). */
export interface Referenced {
  /** VMAs where an entry's accessed bit was set; it is cleared on the way. -1: the strategy's lock was contended. */
  readonly references: number;
  /** Entries looked at: all that map the folio, where nothing ends the search before. */
  readonly mappings: number;
  /** A VM_LOCKED mapping of all of the folio was met: it must stay, and is mlocked now. */
  readonly locked: boolean;
}

/** Counts and clears the accessed bits of a folio's entries, up to the last one; without waiting for the strategy's lock. */
export function* referenced(m: Machine, folio: Folio): Op<Referenced> {
  const { mem, tables } = m;
  let references = 0;
  let locked = false;
  let left = totalMapcount(mem, folio);
  let counted: VmArea | null = null;
  const { walked, found: mappings } = yield* walkFolio(
    m,
    folio,
    (vma, address, _table, at, byPmd) => {
      left--;
      let used = false;
      if ((vma.flags & VM_LOCKED) !== 0) {
        locked = mlockMissed(m, folio, vma, address, at, byPmd);
        if (locked) return false;
      } else if ((tables.entries[at] & YOUNG) !== 0) {
        used = true;
        (byPmd ? tables.writePmd(at) : tables.write(at))[at] &= ~YOUNG;
      }
      if ((mem.flags[folio] & WAS_USED) !== 0) {
        used = true;
        mem.flags[folio] &= ~WAS_USED;
      }
      // Of a large folio the other pages of a VMA count with the first; one of KSM may be there several times.
      if (used && !(isLarge(mem, folio) && vma === counted)) references++;
      if (used) counted = vma;
      return left > 0;
    },
    { wait: false },
  );
  return { references: walked || totalMapcount(mem, folio) === 0 ? references : -1, mappings, locked };
}
