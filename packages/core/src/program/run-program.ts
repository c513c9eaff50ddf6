import { KernelError, SegmentationFault } from '../errors.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Kernel } from '../kernel.js';
import type { Process } from '../process.js';
import { expectRefusals } from '../refusal.js';
import { andThen, type Op, READY } from '../sync/op.js';
import * as f from '../syscalls/flags.js';
import type { UffdMove } from '../syscalls/userfaultfd.js';
import { type Address, PAGE_SIZE } from '../units.js';
import type { ArenaPage, Operation } from './operation.js';

/** Where programs live: fixed addresses far from anything that exec or the kernel places. */
const ARENA = 0x100000000000;
/** Pages of the one file that programs map. */
const FILE_PAGES = 4096;

/** A program under way: the machine, its live processes, and the file they map. */
export class ProgramRun {
  /** Live processes, oldest first; the first is there from the start. */
  readonly processes: Process[];
  private opened: FileMapping | null = null;

  constructor(readonly kernel: Kernel) {
    this.processes = [kernel.spawn()];
  }

  /** Runs one operation; 'ok', the errno, or the signal. Errors that no kernel would answer are thrown. */
  apply(operation: Operation): string {
    const process = this.processOf(operation);
    expectRefusals(true);
    try {
      if (operation.op === 'read' || operation.op === 'write') process[operation.op](at(operation.at));
      else if (operation.op === 'exit') this.exit(process);
      else this.kernel.run(this.op(operation));
      return 'ok';
    } catch (error) {
      if (error instanceof KernelError) return error.errno;
      if (error instanceof SegmentationFault) return error.signal;
      throw error;
    } finally {
      expectRefusals(false);
    }
  }

  /** The same as an operation for a scheduler; it is about the process, and the folio, that there are now. */
  op(o: Operation): Op<unknown> {
    const process = this.processOf(o);
    switch (o.op) {
      case 'mmap':
        return this.mmap(process, o);
      case 'munmap':
      case 'mlock':
      case 'munlock':
        return process.op[o.op](at(o.at), o.pages * PAGE_SIZE);
      case 'mprotect':
        return process.op.mprotect(at(o.at), o.pages * PAGE_SIZE, o.prot);
      case 'madvise':
        return process.op.madvise(at(o.at), o.pages * PAGE_SIZE, o.advice);
      case 'mremap': {
        const moving = f.MREMAP_MAYMOVE | f.MREMAP_FIXED | (o.dontUnmap ? f.MREMAP_DONTUNMAP : 0);
        const options = o.to === null ? { flags: 0 } : { flags: moving, to: at(o.to) };
        return process.op.mremap(at(o.at), o.pages * PAGE_SIZE, o.newPages * PAGE_SIZE, options);
      }
      case 'brk':
        return process.op.brk((process.brk() + o.pages * PAGE_SIZE) as Address);
      case 'read':
      case 'write':
        return process.op[o.op](at(o.at));
      case 'fork':
      case 'thread':
        return this.born(process.op[o.op]());
      case 'exec':
      case 'exit':
        return process.op[o.op]();
      case 'splitFolio':
        return this.splitFolio(process, o);
      case 'fill':
        return process.op.fill(at(o.at), o.pattern);
      case 'uffdMove':
        return this.uffdMove(process, { to: at(o.to), from: at(o.from), length: o.pages * PAGE_SIZE });
      case 'splitDeferred':
      case 'ksmScan':
      case 'khugepagedScan':
      case 'ksmUnmerge':
      case 'swapOff':
      case 'finishMigrations':
        return this.kernel.op[o.op]();
      case 'reclaim':
      case 'migrate':
      case 'startMigration': {
        const folio = process.folioAt(at(o.at));
        return folio === null ? READY : this.kernel.op[o.op](folio);
      }
    }
  }

  private get file(): FileMapping {
    this.opened ??= this.kernel.memfd('arena', FILE_PAGES);
    return this.opened;
  }

  private processOf({ process }: Operation): Process {
    return this.processes[process % this.processes.length];
  }

  private born(op: Op<Process>): Op<unknown> {
    return andThen(op, (child) => this.processes.push(child));
  }

  private exit(process: Process): void {
    if (this.processes.length === 1) return; // the first process stays, so that there is always one
    process.exit();
    this.processes.splice(this.processes.indexOf(process), 1);
  }

  private splitFolio(process: Process, o: Extract<Operation, { op: 'splitFolio' }>): Op<unknown> {
    const { pfn, order } = process.pageAt(at(o.at));
    const folio = process.folioAt(at(o.at));
    if (folio === null || pfn === null || order <= o.order) return READY;
    return this.kernel.op.splitFolio(folio, o.unequal ? { order: o.order, around: pfn - folio } : { order: o.order });
  }

  /** With the destination's VMA registered meanwhile, as the kernel asks. */
  private *uffdMove(process: Process, move: UffdMove): Op<void> {
    const vma = process.vmas().find(({ start, end }) => start <= move.to && move.to < end);
    const length = vma === undefined ? 0 : vma.end - vma.start;
    if (vma !== undefined) yield* process.op.uffdRegister(vma.start, length, true);
    try {
      yield* process.op.uffdMove(move);
    } finally {
      if (vma !== undefined) yield* process.op.uffdRegister(vma.start, length, false);
    }
  }

  private mmap(process: Process, o: Extract<Operation, { op: 'mmap' }>): Op<Address> {
    const shared = o.memory === 'shared' || o.memory === 'file-shared';
    const flags = f.MAP_FIXED | o.flags | (shared ? f.MAP_SHARED : f.MAP_PRIVATE);
    if (o.memory === 'private' || o.memory === 'shared')
      return process.op.mmap(o.pages * PAGE_SIZE, { prot: o.prot, at: at(o.at), flags: flags | f.MAP_ANONYMOUS });
    const { file } = this;
    return process.op.mmap(o.pages * PAGE_SIZE, { prot: o.prot, at: at(o.at), flags, file, offset: o.offset * PAGE_SIZE });
  }
}

/** The address of a page of the arena. */
export const arenaAddress = (page: ArenaPage): Address => (ARENA + page * PAGE_SIZE) as Address;
const at = arenaAddress;
