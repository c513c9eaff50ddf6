/** What the series and the debate about it leave open, or answer in several ways. */
export interface LazyOptions {
  /** Which VMAs a walk from a root looks at: the first in mm_mt that touches the folio's addresses; the root itself; all that touch them. */
  readonly lookup: 'firstInRange' | 'rootOnly' | 'range';
  /** Whether a walk whose folio was upgraded meanwhile goes round again. */
  readonly retry: 'once' | 'none' | 'untilStable';
  /** What a walk takes beside the lock of each page table: a reference on the root; read locks of the VMAs; one of a table of locks. */
  readonly walkLock: 'refOnly' | 'vmaRead' | 'hashedLock';
  /** What a migration or a folio split takes for its whole time: read locks of the VMAs that cover the folio; that of the root; a reference. */
  readonly migrationLock: 'vmaReadCovering' | 'vmaReadRoot' | 'refOnly';
  /** Where the distance between offsets and addresses comes from: start and offset of the root as they are; a copy made at the first fault. */
  readonly base: 'live' | 'cached';
  /** What a forked VMA's own new pages point at: itself, as a root; or the anon_vma of the VMA it was forked from. */
  readonly childFolio: 'lazyChild' | 'parentAnonVma';
  /** What becomes of the anchor of a page that its only user writes, in a VMA without an anon_vma of its own. */
  readonly reuse: 'keep' | 'toLazy';
  /** Which folios of a moved VMA are rewritten: those whose entries travel one by one; also those that travel with a PMD entry or a table; all of the VMA beforehand; none. */
  readonly mremapFix: 'pte' | 'pteAndPmd' | 'eager' | 'none';
  /** A swapped-out folio that is lazy still, met in a VMA that its anchor does not lead to: mapped as it stands; mapped and rewritten; copied. */
  readonly swapinFix: 'off' | 'on' | 'copy';
  /** Which two VMAs with lazy pages may merge: those of one root; any two. */
  readonly mergeRule: 'sameRootOrNone' | 'anySameBase';
  /** Whether the root lives on where a merge swallows one of two VMAs. */
  readonly preferRoot: 'off' | 'on';
  /** Larger VMAs get an anon_vma at their first fault. */
  readonly maxVmaPages: number;
  /** What gets an anon_vma at a fork or move: the VMA alone, or all VMAs of its root together, so that a folio over a cut stays whole. */
  readonly upgrade: 'vma' | 'family';
}

/** Answers that belong together. */
export type Preset = 'intended' | 'stated' | 'posted';

/** What its author says he intends, word by word. */
const stated: LazyOptions = {
  lookup: 'firstInRange',
  retry: 'once',
  walkLock: 'refOnly',
  migrationLock: 'vmaReadCovering',
  base: 'live',
  childFolio: 'lazyChild',
  reuse: 'keep',
  mremapFix: 'pte',
  swapinFix: 'off',
  mergeRule: 'sameRootOrNone',
  preferRoot: 'off',
  maxVmaPages: Number.POSITIVE_INFINITY,
  upgrade: 'vma',
};

/**
 * Named answers. `stated`: what the author says he intends, word by word. `posted`: the series as it stands, which lacks the
 * repeated walk and any rewriting at a move. `intended`: what he argues that it does, with what it takes for that.
 */
export const PRESETS: Readonly<Record<Preset, LazyOptions>> = {
  intended: { ...stated, lookup: 'range', mremapFix: 'pteAndPmd', swapinFix: 'copy', upgrade: 'family' },
  stated,
  posted: { ...stated, retry: 'none', migrationLock: 'vmaReadRoot', mremapFix: 'none' },
};
