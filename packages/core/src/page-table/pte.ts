import type { Pfn } from '../units.js';

/**
 * A page table entry packed in an int32:
 *
 * ```
 * 31 ............ 8   7    6          5      4      3      2..0
 * frame / payload     -    EXCLUSIVE  DIRTY  YOUNG  WRITE  kind
 * ```
 *
 * The payload is a frame number (present, zero, migration), a swap slot, or a lower table's number. 0 is the empty entry.
 */
export type Pte = number;

export const NONE = 0;
/** A page of `mem_map` is mapped. */
export const PRESENT = 1;
/** The shared zero page is mapped (pte_special): no folio, no count, no reverse map. */
export const ZERO = 2;
/** The page is in swap: the payload is its slot. */
export const SWAP = 3;
/** The page is on its way to another frame. */
export const MIGRATION = 4;
/** A marker without a page: the guard marker of MADV_GUARD_INSTALL. */
export const GUARD = 5;
/** In an upper table: the entry points to a lower table. */
export const TABLE = 6;

const KIND = 7;
export const WRITE = 8;
export const YOUNG = 16;
export const DIRTY = 32;
/** In swap and migration entries: the software bit that keeps PageAnonExclusive while the page is not mapped. */
export const EXCLUSIVE = 64;

const PAYLOAD = 8;

export const kindOf = (pte: Pte): number => pte & KIND;
export const payloadOf = (pte: Pte): number => pte >>> PAYLOAD;
export const pfnOf = (pte: Pte): Pfn => (pte >>> PAYLOAD) as Pfn;
export const makePte = (kind: number, payload: number, flags: number): Pte => (payload << PAYLOAD) | flags | kind;
/** Whether the entry counts as a mapping of a folio for the reverse map: present or under migration. */
export const isMapping = (pte: Pte): boolean => (pte & KIND) === PRESENT || (pte & KIND) === MIGRATION;
