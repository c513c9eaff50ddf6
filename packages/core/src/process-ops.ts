import { KernelError } from './errors.js';
import { touch } from './fault/fault.js';
import type { FileMapping } from './folio/page-cache.js';
import type { Kernel } from './kernel.js';
import type { Machine } from './machine.js';
import { dropMm } from './mm/exit.js';
import type { Mm } from './mm/mm.js';
import type { Process } from './process.js';
import { andThen, type Op, run } from './sync/op.js';
import { brk } from './syscalls/brk.js';
import { type ExecRequest, execMm } from './syscalls/exec.js';
import { MADV_COLLAPSE, MADV_HUGEPAGE, MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from './syscalls/flags.js';
import { forkMm } from './syscalls/fork.js';
import { madvise } from './syscalls/madvise.js';
import { mlock, munlock } from './syscalls/mlock.js';
import { mmap } from './syscalls/mmap.js';
import { mprotect } from './syscalls/mprotect.js';
import { mremap } from './syscalls/mremap.js';
import { munmap } from './syscalls/munmap.js';
import { uffdRegister } from './syscalls/uffd-register.js';
import { type UffdMove, uffdMove } from './syscalls/userfaultfd.js';
import { type Address, KiB, type Pfn, TASK_SIZE } from './units.js';

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

const NO_OPTIONS = {};

/** The operations of one process. */
export class Operations implements ProcessOps {
  constructor(
    private readonly kernel: Kernel,
    private readonly m: Machine,
    private readonly process: Process,
  ) {}

  mmap(length: number, options: MmapOptions = NO_OPTIONS): Op<Address> {
    const { prot = PROT_READ | PROT_WRITE, flags, at = 0 as Address, file = null, offset = 0 } = options;
    if (file !== null && ((flags ?? MAP_PRIVATE) & MAP_SHARED) === 0) this.kernel.mustSupport('private-file');
    const all = flags ?? MAP_PRIVATE | (file === null ? MAP_ANONYMOUS : 0);
    return mmap(this.m, this.mine('mmap'), { at, length, prot, flags: all, file, offset });
  }

  munmap(at: Address, length: number): Op<void> {
    return munmap(this.m, this.mine('munmap'), at, length);
  }

  mprotect(at: Address, length: number, prot: number): Op<void> {
    return mprotect(this.m, this.mine('mprotect'), at, length, prot);
  }

  mremap(at: Address, oldLength: number, newLength: number, options: MremapOptions = NO_OPTIONS): Op<Address> {
    const { flags = 1, to = 0 as Address } = options;
    return mremap(this.m, this.mine('mremap'), { at, oldLength, newLength, flags, to });
  }

  madvise(at: Address, length: number, advice: number): Op<void> {
    if (advice === MADV_HUGEPAGE || advice === MADV_COLLAPSE) this.kernel.mustSupport('large-folio');
    if (advice === MADV_COLLAPSE) this.kernel.mustSupport('collapse');
    return madvise(this.m, this.mine('madvise'), at, length, advice);
  }

  mlock(at: Address, length: number): Op<void> {
    return mlock(this.m, this.mine('mlock'), at, length);
  }

  munlock(at: Address, length: number): Op<void> {
    return munlock(this.m, this.mine('munlock'), at, length);
  }

  brk(to: Address): Op<Address> {
    return brk(this.m, this.mine('brk'), to);
  }

  read(at: Address): Op<void> {
    return touch(this.m, this.mine('read'), at, false);
  }

  write(at: Address): Op<void> {
    return touch(this.m, this.mine('write'), at, true);
  }

  *fill(at: Address, pattern: number): Op<void> {
    if (!Number.isInteger(pattern) || pattern < 1 || pattern >= 2 ** 31)
      throw new RangeError(`pattern ${pattern} is no integer from 1 to 2^31 - 1`);
    yield* this.write(at);
    this.m.mem.version[this.process.pageAt(at).pfn as Pfn] = -pattern;
  }

  uffdMove(request: UffdMove): Op<number> {
    this.kernel.mustSupport('uffd-move');
    return uffdMove(this.m, this.mine('UFFDIO_MOVE'), request);
  }

  uffdRegister(at: Address, length: number, register: boolean): Op<void> {
    return uffdRegister(this.m, this.mine('UFFDIO_REGISTER'), at, length, register);
  }

  fork(): Op<Process> {
    return andThen(forkMm(this.m, this.mine('fork')), (child) => this.kernel.adopt(child));
  }

  thread(): Op<Process> {
    return this.threadOf(this.mine('clone'));
  }

  exec(request: Partial<ExecRequest> = NO_OPTIONS): Op<void> {
    return this.execFrom(this.mine('exec'), request);
  }

  exit(): Op<void> {
    return this.exitOf(this.mine('exit'));
  }

  private mine(call: string): Mm {
    if (!this.process.alive) throw new KernelError('ESRCH', call, `process ${this.process.id} has exited`);
    return this.process.mm;
  }

  private *threadOf(mm: Mm): Op<Process> {
    mm.users++;
    return this.kernel.adopt(mm);
  }

  private execFrom(mm: Mm, request: Partial<ExecRequest>): Op<void> {
    const all = { stackTop: TASK_SIZE, argumentPages: 1, stackExpand: 128 * KiB, startBrk: this.m.options.startBrk, ...request };
    if (this.m.sync.stepping) return this.execStepping(mm, all);
    return this.change(mm, run(execMm(this.m, all)));
  }

  private *execStepping(mm: Mm, request: ExecRequest): Op<void> {
    yield* this.change(mm, yield* execMm(this.m, request));
  }

  private change(mm: Mm, next: Mm): Op<void> {
    leave(this.process);
    this.process.mm = next;
    next.processes.push(this.process);
    return dropMm(this.m, mm);
  }

  private exitOf(mm: Mm): Op<void> {
    return this.m.sync.stepping ? this.exitStepping(mm) : this.exitNow(mm);
  }

  private exitNow(mm: Mm): Op<void> {
    this.process.alive = false;
    leave(this.process);
    this.kernel.forget(this.process);
    return dropMm(this.m, mm);
  }

  private *exitStepping(mm: Mm): Op<void> {
    yield* this.exitNow(mm);
  }
}

/** Takes a process off the list of those that use its address space. */
function leave(process: Process): void {
  const { processes } = process.mm;
  processes.splice(processes.indexOf(process), 1);
}
