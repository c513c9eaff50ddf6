import type { Process } from './process.js';
import type { Reclaim } from './reclaim/reclaim.js';
import type { Referenced } from './rmap/referenced.js';
import type { Op } from './sync/op.js';
import type { Address, Folio, Pfn } from './units.js';

/** One entry that a walk found. */
export interface FoundMapping {
  readonly process: Process;
  readonly address: Address;
}

/** What a reverse-map walk found and cost. */
export interface WalkResult {
  readonly found: readonly FoundMapping[];
  /** VMAs that the strategy offered. */
  readonly candidates: number;
  /** Those up to the last entry found: all that a walk looks at which ends when nothing is left to find, as those of reclaim do (`folio_referenced`, `folio_not_mapped`). */
  readonly needed: number;
  readonly passes: number;
}

/** The calls of a {@link Kernel} as operations, for a scheduler. */
export interface KernelOps {
  /** A process with an empty address space. */
  spawn(): Op<Process>;
  /** Every entry that maps a folio. */
  walk(folio: Folio): Op<WalkResult>;
  /** Counts and clears accessed bits. */
  referenced(folio: Folio): Op<Referenced>;
  /** Whether nobody used a folio since this was last asked. */
  idle(folio: Folio): Op<boolean | null>;
  /** Whom a broken page is mapped by. */
  victims(page: Pfn): Op<FoundMapping[]>;
  /** Evicts a folio. */
  reclaim(folio: Folio): Op<Reclaim>;
  /** Brings everything back from swap. */
  swapOff(): Op<void>;
  /** Moves a folio to another place. */
  migrate(folio: Folio): Op<Folio | null>;
  /** The first half of a migration. */
  startMigration(folio: Folio): Op<boolean>;
  /** The second half of all that are under way. */
  finishMigrations(): Op<number>;
  /** Cuts a large folio. */
  splitFolio(folio: Folio, request?: SplitRequest): Op<boolean>;
  /** One pass of khugepaged. */
  khugepagedScan(): Op<number>;
  /** One pass of KSM. */
  ksmScan(): Op<number>;
  /** Gives all pages of KSM back. */
  ksmUnmerge(): Op<void>;
  /** Splits the folios that are mapped in part. */
  splitDeferred(): Op<number>;
}

/** How a large folio is cut. */
export interface SplitRequest {
  /** log2 of the pages of the pieces; 0, or 2 and more. Default 0. */
  readonly order?: number;
  /** Number of a page inside the folio: only the pieces around it get that small. Default: all. */
  readonly around?: number;
}
