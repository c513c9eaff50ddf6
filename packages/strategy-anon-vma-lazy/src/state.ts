import type { Address, Op, Pgoff, Ref, RmapServices, Vma } from '@rmap-lab/core';
import { State } from '@rmap-lab/strategy-anon-vma/parts';
import { LazyFields } from './fields.js';
import { Holds } from './holds.js';
import { LockTable } from './lock-table.js';
import type { LazyOptions } from './options.js';

/** What the operations of one kernel's reverse map share. */
export class LazyState extends State<LazyFields> {
  readonly holds = new Holds();
  /** Null where walks take no such lock. */
  readonly lockTable: LockTable | null;

  constructor(
    services: RmapServices,
    readonly options: LazyOptions,
  ) {
    super(services, () => new LazyFields());
    this.lockTable = options.walkLock === 'hashedLock' ? new LockTable(services) : null;
  }

  ref(vma: Vma): Ref<Vma> {
    return this.services.vmaRefs.ref(vma);
  }

  /** Whether the design is lazy about `vma` at all. */
  smallEnough({ start, end }: Vma): boolean {
    return (end - start) / PAGE <= this.options.maxVmaPages;
  }

  /** Address less offset, of whatever is or was mapped in the family of `root`, in bytes (vma_mapping_base). Start and offset are two loads: somebody may change both between them. */
  *base(root: Vma): Op<number> {
    const { services, options } = this;
    if (options.base === 'cached') return yield* services.load(this.vmas.of(root), 'base');
    const start = yield* services.load(root, 'start');
    return baseOf(start, yield* services.load(root, 'anonPgoff'));
  }

  /** All VMAs of `root`'s address space that still belong to its family. */
  *family(root: Vma): Op<Vma[]> {
    const { members } = this.vmas.of(root);
    if (members === 0) return []; // the address space may be gone
    if (members === 1 && this.vmas.of(root).root === root && root.attached) return [root];
    this.services.count('vma-lookup');
    const all = yield* root.mm.vmas.overlapping(0 as Address, Number.MAX_SAFE_INTEGER as Address);
    return all.filter((vma) => this.vmas.of(vma).root === root);
  }
}

const PAGE = 4096;

/** @see LazyState.base */
export const baseOf = (start: Address, anonPgoff: Pgoff): number => start - anonPgoff * PAGE;
