/** What the public descriptions of the design leave open, or what its proof of concept does in a way that can fail. */
export interface Choices {
  /** What keeps VMAs and page tables in place under a walk: an RCU section and a pinned address space, or a lock in each context. */
  readonly walkLocking: 'rcuOnly' | 'contextLock';
  /** Whether a walk comes to a context after the contexts below it, or before them. Both begin with the folio's own. */
  readonly walkOrder: 'childrenFirst' | 'parentFirst';
  /** When fork makes the child known: once everything is copied, or before. */
  readonly linkChild: 'afterCopy' | 'beforeCopy';
  /** Whether a move replaces the record of the old place, or adds one and lets the unmapping of the source drop the other. */
  readonly remapPublish: 'replaceFirst' | 'addMoveDrop';
  /** Whom a page read back from swap belongs to when others may name its slot: the context that reads it, or the topmost of the family. */
  readonly sharedOwner: 'faulting' | 'root';
  /** When a walk may end early: after a folio that looks exclusive was looked for at its birth place, or when all its mappings were found. */
  readonly shortcut: 'exclusive' | 'allFound';
  /** Whether a dead context that owns nothing and has one child is taken out of the line. */
  readonly compactDead: boolean;
}

/** Choices that belong together. */
export type Preset = 'poc' | 'reference';

/** The proof of concept as it could be read in 2026. Walks can miss mappings. */
export const POC: Choices = {
  walkLocking: 'rcuOnly',
  walkOrder: 'childrenFirst',
  linkChild: 'afterCopy',
  remapPublish: 'replaceFirst',
  sharedOwner: 'faulting',
  shortcut: 'exclusive',
  compactDead: false,
};

/** The same design with every known hole closed; docs/strategies/cow-context.md says how, why, and what each costs. */
export const REFERENCE: Choices = {
  walkLocking: 'contextLock',
  walkOrder: 'parentFirst',
  linkChild: 'beforeCopy',
  remapPublish: 'addMoveDrop',
  sharedOwner: 'root',
  shortcut: 'allFound',
  compactDead: true,
};

/** The presets by name. */
export const PRESETS: Readonly<Record<Preset, Choices>> = { poc: POC, reference: REFERENCE };
