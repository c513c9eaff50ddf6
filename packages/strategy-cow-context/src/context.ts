import type { Mm, Ref, RmapServices, RwSem, SpinLock } from '@rmap-lab/core';
import type { Chunk, Node } from './record-memory.js';
import type { Records } from './records.js';

/** What stands for an address space in the reverse map, and outlives it as long as a page or a child names it. */
export class Context {
  /** The word that leads here from a folio's anchor. */
  ref = 0 as Ref<Context>;
  /** Null once the address space is gone. */
  mm: Mm | null = null;
  /** The one forked from; null for a root: after spawn or exec. */
  parent: Context | null = null;
  /** One while the address space lives, one for each child, each folio and each hold. */
  refs = 0;
  /** Children, the newest first, and neighbours among those of the parent; under the parent's {@link childLock}. */
  firstChild: Context | null = null;
  next: Context | null = null;
  prev: Context | null = null;
  /** When its fork had copied everything: forks are numbered. Infinity: not yet. */
  born = 0;
  /** Memory that {@link records} live in. */
  readonly nodes: Node[] = [];
  readonly chunks: Chunk[] = [];

  constructor(
    /** Read by walks, of its folios throughout and of others while they look here; written by whoever changes what they may see. */
    readonly lock: RwSem,
    readonly childLock: SpinLock,
    readonly records: Records,
  ) {}
}

/** In place of the lock where only RCU protects walks. */
export const noLock = (services: RmapServices): RwSem => {
  const free = { dummy: 0 };
  const nothing = (): ReturnType<RwSem['read']> => services.store(free, 'dummy', 0);
  return {
    read: nothing,
    write: nothing,
    drain: nothing,
    tryRead: () => true,
    tryWrite: () => true,
    readUnlock() {},
    writeUnlock() {},
  };
};
