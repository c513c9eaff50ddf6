import { touchFast } from './fault/fault-fast.js';
import { entireMapcount } from './folio/mapcount.js';
import { ANON, EXCLUSIVE, KSM } from './folio/mem-map.js';
import type { FileMapping } from './folio/page-cache.js';
import type { Kernel } from './kernel.js';
import type { Machine } from './machine.js';
import type { Mm } from './mm/mm.js';
import { ENTRIES, PAGES_PER_LEAF } from './page-table/page-table.js';
import { kindOf, makePte, NONE, PRESENT, type Pte, payloadOf, ZERO } from './page-table/pte.js';
import { type MmapOptions, type MremapOptions, Operations, type ProcessOps } from './process-ops.js';
import type { ExecRequest } from './syscalls/exec.js';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE } from './syscalls/flags.js';
import type { UffdMove } from './syscalls/userfaultfd.js';
import { type Address, addressOf, type Folio, type Pfn, type Pgoff, pageOf, type Vpn } from './units.js';

/** One VMA as an observer sees it. */
export interface VmaInfo {
  readonly id: number;
  readonly start: Address;
  readonly end: Address;
  /** `VM_*` bits with the kernel's values; the lowest three are read, write, execute. */
  readonly flags: number;
  readonly pgoff: Pgoff;
  readonly anonPgoff: Pgoff;
  readonly faulted: boolean;
  readonly file: FileMapping | null;
}

/** One page as an observer sees it. */
export interface PageInfo {
  readonly kind: 'none' | 'anonymous' | 'file' | 'zero' | 'swap' | 'migration' | 'guard';
  readonly writable: boolean;
  readonly pfn: Pfn | null;
  /** log2 of the pages of its folio. */
  readonly order: number;
  /** One PMD entry maps the whole folio. */
  readonly byPmd: boolean;
  /** Entries that map the page, PMD entries included. */
  readonly mapcount: number;
  /** PMD entries that map its folio. */
  readonly entireMapcount: number;
  readonly exclusive: boolean;
  /** One page shared by equal contents (PageKsm). */
  readonly ksm: boolean;
  readonly index: Pgoff | null;
  /** The strategy's word of the folio. */
  readonly anchor: number | null;
  /** Where it is in swap. */
  readonly swapSlot: number | null;
  /** Number of the write that made the contents; 0: zeros. */
  readonly version: number;
}

/** Of an entry that maps no page. */
const NO_PAGE: Omit<PageInfo, 'kind'> = {
  writable: false,
  pfn: null,
  order: 0,
  byPmd: false,
  mapcount: 0,
  entireMapcount: 0,
  exclusive: false,
  ksm: false,
  index: null,
  anchor: null,
  swapSlot: null,
  version: 0,
};

/** A process (or a thread: one more user of an address space). Its calls are Linux's, and refuse as Linux does. */
export class Process {
  /** The same calls as operations. */
  readonly op: ProcessOps;
  /** False after {@link exit}. */
  alive = true;

  /** @internal Processes are made by `Kernel.spawn`, fork and thread. */
  constructor(
    private readonly kernel: Kernel,
    private readonly machine: Machine,
    readonly id: number,
    /** @internal The address space; shared with threads and vfork children. */
    public mm: Mm,
  ) {
    mm.processes.push(this);
    this.op = new Operations(kernel, machine, this);
  }

  /** mmap(2): where the new memory begins. @throws KernelError */
  mmap(length: number, options?: MmapOptions): Address {
    return this.kernel.run(this.op.mmap(length, options));
  }

  /** mmap(2) with MAP_FIXED: `length` bytes at `at`, whatever was there. @throws KernelError */
  mapAt(at: Address, length: number, options: Omit<MmapOptions, 'at'> = {}): Address {
    const { prot, flags = MAP_PRIVATE | MAP_ANONYMOUS, file, offset } = options;
    return this.kernel.run(this.op.mmap(length, { at, prot, flags: flags | MAP_FIXED, file, offset }));
  }

  /** munmap(2). @throws KernelError */
  munmap(at: Address, length: number): void {
    this.kernel.run(this.op.munmap(at, length));
  }

  /** mprotect(2) with `PROT_*`. @throws KernelError */
  mprotect(at: Address, length: number, prot: number): void {
    this.kernel.run(this.op.mprotect(at, length, prot));
  }

  /** mremap(2): where the memory is now. @throws KernelError */
  mremap(at: Address, oldLength: number, newLength: number, options?: MremapOptions): Address {
    return this.kernel.run(this.op.mremap(at, oldLength, newLength, options));
  }

  /** madvise(2) with `MADV_*`. @throws KernelError */
  madvise(at: Address, length: number, advice: number): void {
    this.kernel.run(this.op.madvise(at, length, advice));
  }

  /** mlock(2). @throws KernelError */
  mlock(at: Address, length: number): void {
    this.kernel.run(this.op.mlock(at, length));
  }

  /** munlock(2). @throws KernelError */
  munlock(at: Address, length: number): void {
    this.kernel.run(this.op.munlock(at, length));
  }

  /** brk(2): the end of the heap afterwards; unchanged when it can't be where it was asked to be. */
  brk(to: Address = 0 as Address): Address {
    return this.kernel.run(this.op.brk(to));
  }

  /** One load. @throws SegmentationFault, NoMemory */
  read(at: Address): void {
    this.touchPage(at, false);
  }

  /** One store. @throws SegmentationFault, NoMemory */
  write(at: Address): void {
    this.touchPage(at, true);
  }

  /** UFFDIO_MOVE: pages go to another place of the address space; how many bytes did. @throws EINVAL, ENOENT, EEXIST, EBUSY, NoMemory; Unsupported */
  uffdMove(request: UffdMove): number {
    return this.kernel.run(this.op.uffdMove(request));
  }

  /** UFFDIO_REGISTER for missing pages of what is mapped of a range, which keeps it apart from its neighbours; with `false` UFFDIO_UNREGISTER. @throws EINVAL, ENOMEM */
  uffdRegister(at: Address, length: number, register = true): void {
    this.kernel.run(this.op.uffdRegister(at, length, register));
  }

  /** A store after which the page's contents are `pattern`, equal to those of every other page filled with it. @throws RangeError, SegmentationFault, NoMemory */
  fill(at: Address, pattern: number): void {
    this.kernel.run(this.op.fill(at, pattern));
  }

  /** fork(2). @throws NoMemory */
  fork(): Process {
    return this.kernel.run(this.op.fork());
  }

  /** A thread or a vfork(2) child: another process in the same address space. */
  thread(): Process {
    return this.kernel.run(this.op.thread());
  }

  /** exec(2): a new address space with a stack. @throws KernelError, the old one is kept */
  exec(request?: Partial<ExecRequest>): void {
    this.kernel.run(this.op.exec(request));
  }

  /** exit(2): the last user of an address space tears it down. */
  exit(): void {
    this.kernel.run(this.op.exit());
  }

  /** The anonymous folio mapped at `at`, or null. */
  folioAt(at: Address): Folio | null {
    const pte = this.entry(at);
    if (kindOf(pte) !== PRESENT || (this.machine.mem.flags[payloadOf(pte)] & ANON) === 0) return null;
    return this.machine.mem.folioOf(payloadOf(pte) as Pfn);
  }

  /** What is mapped at `at`. */
  pageAt(at: Address): PageInfo {
    const pte = this.entry(at);
    const { mem } = this.machine;
    const kind = (['none', 'present', 'zero', 'swap', 'migration', 'guard'] as const)[kindOf(pte)];
    if (kind !== 'present') return { ...NO_PAGE, kind, swapSlot: kind === 'swap' ? payloadOf(pte) : null };
    const pfn = payloadOf(pte) as Pfn;
    const folio = mem.folioOf(pfn);
    const byPmd = this.machine.tables.huge(this.mm.pgd, pageOf(at)) !== 0;
    return {
      kind: (mem.flags[pfn] & ANON) !== 0 ? 'anonymous' : 'file',
      writable: (pte & 8) !== 0,
      pfn,
      order: mem.order(folio),
      byPmd,
      mapcount: mem.mapcount[pfn] + entireMapcount(mem, folio),
      entireMapcount: entireMapcount(mem, folio),
      exclusive: (mem.flags[byPmd ? folio : pfn] & EXCLUSIVE) !== 0,
      ksm: (mem.flags[pfn] & KSM) !== 0,
      index: (mem.index[folio] + (pfn - folio)) as Pgoff,
      anchor: mem.anchor[folio],
      swapSlot: null,
      version: mem.version[pfn],
    };
  }

  /** The first page in [from, end) that has an entry of any kind; `end`: there is none. */
  nextPage(from: Address, end: Address): Address {
    const { tables } = this.machine;
    const last = this.alive ? pageOf(end) : 0;
    for (let vpn = pageOf(from); vpn < last; ) {
      vpn = tables.nextLeaf(this.mm.pgd, vpn, last as Vpn);
      if (vpn < last && tables.huge(this.mm.pgd, vpn) !== 0) return addressOf(vpn);
      const leaf = tables.leaf(this.mm.pgd, vpn);
      const stop = Math.min(last, (Math.floor(vpn / PAGES_PER_LEAF) + 1) * PAGES_PER_LEAF);
      for (; vpn < stop; vpn++) if (tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))] !== NONE) return addressOf(vpn);
    }
    return end;
  }

  /** Every VMA, by address. */
  vmas(): readonly VmaInfo[] {
    return [...this.mm.tree].map(({ id, start, end, flags, pgoff, anonPgoff, faulted, file }) => ({
      id,
      start,
      end,
      flags,
      pgoff,
      anonPgoff,
      faulted,
      file,
    }));
  }

  private entry(at: Address): Pte {
    const { tables } = this.machine;
    const vpn = pageOf(at);
    const huge = this.alive ? tables.huge(this.mm.pgd, vpn) : 0;
    if (huge !== 0) {
      const pmd = tables.entries[huge];
      return kindOf(pmd) === ZERO ? pmd : makePte(0, payloadOf(pmd) + (vpn % PAGES_PER_LEAF), pmd & 0xff);
    }
    const leaf = this.alive ? tables.leaf(this.mm.pgd, vpn) : 0;
    return leaf === 0 ? 0 : tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))];
  }

  private touchPage(at: Address, write: boolean): void {
    if (this.alive && this.machine.options.fastFault && touchFast(this.machine, this.mm, at, write)) return;
    this.kernel.run(write ? this.op.write(at) : this.op.read(at));
  }
}
