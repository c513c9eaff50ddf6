import { KernelError } from './errors.js';
import { touch } from './fault/fault.js';
import { touchFast } from './fault/fault-fast.js';
import { entireMapcount } from './folio/mapcount.js';
import { ANON, EXCLUSIVE, KSM } from './folio/mem-map.js';
import type { FileMapping } from './folio/page-cache.js';
import type { Kernel } from './kernel.js';
import type { Machine } from './machine.js';
import { dropMm } from './mm/exit.js';
import type { Mm } from './mm/mm.js';
import { ENTRIES, PAGES_PER_LEAF } from './page-table/page-table.js';
import { kindOf, makePte, NONE, PRESENT, type Pte, payloadOf, ZERO } from './page-table/pte.js';
import type { Op } from './sync/op.js';
import { brk } from './syscalls/brk.js';
import { type ExecRequest, execMm } from './syscalls/exec.js';
import {
  MADV_COLLAPSE,
  MADV_HUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from './syscalls/flags.js';
import { forkMm } from './syscalls/fork.js';
import { madvise } from './syscalls/madvise.js';
import { mlock, munlock } from './syscalls/mlock.js';
import { mmap } from './syscalls/mmap.js';
import { mprotect } from './syscalls/mprotect.js';
import { mremap } from './syscalls/mremap.js';
import { munmap } from './syscalls/munmap.js';
import { type UffdMove, uffdMove, uffdRegister } from './syscalls/userfaultfd.js';
import { type Address, addressOf, type Folio, KiB, type Pfn, type Pgoff, pageOf, TASK_SIZE, type Vpn } from './units.js';

/** What mmap may be told; by default fresh private anonymous memory, readable and writable, wherever there is room. */
export interface MmapOptions {
  /** `PROT_*`. */
  readonly prot?: number;
  /** `MAP_*`; MAP_PRIVATE and, without a file, MAP_ANONYMOUS are the default. */
  readonly flags?: number;
  /** The address wanted: a hint, or with MAP_FIXED the place. */
  readonly at?: Address;
  readonly file?: FileMapping;
  /** Offset in the file, in bytes. */
  readonly offset?: number;
}

/** What mremap may be told; by default it grows or shrinks in place and may move. */
export interface MremapOptions {
  /** `MREMAP_*`; default MREMAP_MAYMOVE. */
  readonly flags?: number;
  readonly to?: Address;
}

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

interface Family {
  adopt(mm: Mm): Process;
  remove(): void;
}

/** The calls of a {@link Process} as operations, for a scheduler or for callers that combine them. */
export interface ProcessOps {
  /** mmap(2). */
  mmap(length: number, options?: MmapOptions): Op<Address>;
  /** munmap(2). */
  munmap(at: Address, length: number): Op<void>;
  /** mprotect(2). */
  mprotect(at: Address, length: number, prot: number): Op<void>;
  /** mremap(2). */
  mremap(at: Address, oldLength: number, newLength: number, options?: MremapOptions): Op<Address>;
  /** madvise(2). */
  madvise(at: Address, length: number, advice: number): Op<void>;
  /** mlock(2). */
  mlock(at: Address, length: number): Op<void>;
  /** munlock(2). */
  munlock(at: Address, length: number): Op<void>;
  /** brk(2). */
  brk(to: Address): Op<Address>;
  /** One load. */
  read(at: Address): Op<void>;
  /** One store. */
  write(at: Address): Op<void>;
  /** A store of given contents. */
  fill(at: Address, pattern: number): Op<void>;
  /** UFFDIO_MOVE. */
  uffdMove(request: UffdMove): Op<number>;
  /** UFFDIO_REGISTER, or the opposite. */
  uffdRegister(at: Address, length: number, register: boolean): Op<void>;
  /** fork(2). */
  fork(): Op<Process>;
  /** Another user of the address space. */
  thread(): Op<Process>;
  /** exec(2). */
  exec(request?: Partial<ExecRequest>): Op<void>;
  /** exit(2). */
  exit(): Op<void>;
}

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
    private readonly family: Family,
  ) {
    mm.processes.push(this);
    const m = machine;
    const mine = (call: string): Mm => {
      if (!this.alive) throw new KernelError('ESRCH', call, `process ${id} has exited`);
      return this.mm;
    };
    this.op = {
      mmap: (length, { prot = PROT_READ | PROT_WRITE, flags, at = 0 as Address, file, offset = 0 } = {}) => {
        if (file !== undefined && ((flags ?? MAP_PRIVATE) & MAP_SHARED) === 0) kernel.mustSupport('private-file');
        const request = {
          at,
          length,
          prot,
          flags: flags ?? MAP_PRIVATE | (file === undefined ? MAP_ANONYMOUS : 0),
          file: file ?? null,
          offset,
        };
        return mmap(m, mine('mmap'), request);
      },
      munmap: (at, length) => munmap(m, mine('munmap'), at, length),
      mprotect: (at, length, prot) => mprotect(m, mine('mprotect'), at, length, prot),
      mremap: (at, oldLength, newLength, { flags = 1, to = 0 as Address } = {}) =>
        mremap(m, mine('mremap'), { at, oldLength, newLength, flags, to }),
      madvise: (at, length, advice) => {
        if (advice === MADV_HUGEPAGE || advice === MADV_COLLAPSE) kernel.mustSupport('large-folio');
        if (advice === MADV_COLLAPSE) kernel.mustSupport('collapse');
        return madvise(m, mine('madvise'), at, length, advice);
      },
      mlock: (at, length) => mlock(m, mine('mlock'), at, length),
      munlock: (at, length) => munlock(m, mine('munlock'), at, length),
      brk: (to) => brk(m, mine('brk'), to),
      read: (at) => touch(m, mine('read'), at, false),
      write: (at) => touch(m, mine('write'), at, true),
      fill: (at, pattern) => this.fillOp(at, pattern),
      uffdMove: (request) => this.uffdMoveOp(mine('UFFDIO_MOVE'), request),
      uffdRegister: (at, length, register) => uffdRegister(m, mine('UFFDIO_REGISTER'), at, (at + length) as Address, register),
      fork: () => this.forkOp(mine('fork')),
      thread: () => this.threadOp(mine('clone')),
      exec: (request = {}) => this.execOp(mine('exec'), request),
      exit: () => this.exitOp(mine('exit')),
    };
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

  /** UFFDIO_REGISTER of whole VMAs for missing pages, which keeps them apart from their neighbours; with `false` the opposite. @throws EINVAL, ENOMEM */
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

  private *fillOp(at: Address, pattern: number): Op<void> {
    if (!Number.isInteger(pattern) || pattern < 1 || pattern >= 2 ** 31)
      throw new RangeError(`pattern ${pattern} is no integer from 1 to 2^31 - 1`);
    yield* this.op.write(at);
    this.machine.mem.version[this.pageAt(at).pfn as Pfn] = -pattern;
  }

  private *uffdMoveOp(mm: Mm, request: UffdMove): Op<number> {
    this.kernel.mustSupport('uffd-move');
    return yield* uffdMove(this.machine, mm, request);
  }

  private *forkOp(mm: Mm): Op<Process> {
    return this.family.adopt(yield* forkMm(this.machine, mm));
  }

  private *threadOp(mm: Mm): Op<Process> {
    mm.users++;
    return this.family.adopt(mm);
  }

  private *execOp(mm: Mm, request: Partial<ExecRequest>): Op<void> {
    const next = yield* execMm(this.machine, {
      stackTop: TASK_SIZE,
      argumentPages: 1,
      stackExpand: 128 * KiB,
      startBrk: this.machine.options.startBrk,
      ...request,
    });
    leave(this);
    this.mm = next;
    next.processes.push(this);
    yield* dropMm(this.machine, mm);
  }

  private *exitOp(mm: Mm): Op<void> {
    this.alive = false;
    leave(this);
    this.family.remove();
    yield* dropMm(this.machine, mm);
  }
}

/** Takes a process off the list of those that use its address space. */
function leave(process: Process): void {
  const { processes } = process.mm;
  processes.splice(processes.indexOf(process), 1);
}
