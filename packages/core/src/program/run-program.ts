import { KernelError, SegmentationFault } from '../errors.js';
import type { FileMapping } from '../folio/page-cache.js';
import type { Kernel } from '../kernel.js';
import type { Process } from '../process.js';
import * as f from '../syscalls/flags.js';
import type { UffdMove } from '../syscalls/userfaultfd.js';
import { type Address, PAGE_SIZE } from '../units.js';
import type { ArenaPage, Operation } from './operation.js';

/** Where programs live: fixed addresses far from anything that exec or the kernel places. */
const ARENA = 0x100000000000;
/** Pages of the one file that programs map. */
const FILE_PAGES = 64;

/** A program under way: the machine, its live processes, and the file they map. */
export class ProgramRun {
  /** Live processes, oldest first; the first is there from the start. */
  readonly processes: Process[];
  private readonly file: FileMapping;

  constructor(readonly kernel: Kernel) {
    this.processes = [kernel.spawn()];
    this.file = kernel.file('arena', FILE_PAGES);
  }

  /** Runs one operation; 'ok', the errno, or the signal. Errors that no kernel would answer are thrown. */
  apply(operation: Operation): string {
    const process = this.processes[operation.process % this.processes.length];
    try {
      this.perform(process, operation);
      return 'ok';
    } catch (error) {
      if (error instanceof KernelError) return error.errno;
      if (error instanceof SegmentationFault) return error.signal;
      throw error;
    }
  }

  private perform(process: Process, o: Operation): void {
    switch (o.op) {
      case 'mmap':
        this.mmap(process, o);
        break;
      case 'munmap':
      case 'mlock':
      case 'munlock':
        process[o.op](at(o.at), o.pages * PAGE_SIZE);
        break;
      case 'mprotect':
        process.mprotect(at(o.at), o.pages * PAGE_SIZE, o.prot);
        break;
      case 'madvise':
        process.madvise(at(o.at), o.pages * PAGE_SIZE, o.advice);
        break;
      case 'mremap': {
        const moving = f.MREMAP_MAYMOVE | f.MREMAP_FIXED | (o.dontUnmap ? f.MREMAP_DONTUNMAP : 0);
        const options = o.to === null ? { flags: 0 } : { flags: moving, to: at(o.to) };
        process.mremap(at(o.at), o.pages * PAGE_SIZE, o.newPages * PAGE_SIZE, options);
        break;
      }
      case 'brk': {
        const start = process.brk();
        process.brk((start + o.pages * PAGE_SIZE) as Address);
        break;
      }
      case 'read':
      case 'write':
        process[o.op](at(o.at));
        break;
      case 'fork':
      case 'thread':
        this.processes.push(process[o.op]());
        break;
      case 'exec':
        process.exec();
        break;
      case 'exit':
        if (this.processes.length === 1) break; // the first process stays, so that there is always one
        process.exit();
        this.processes.splice(this.processes.indexOf(process), 1);
        break;
      case 'splitFolio':
        this.splitFolio(process, o);
        break;
      case 'fill':
        process.fill(at(o.at), o.pattern);
        break;
      case 'uffdMove':
        this.uffdMove(process, { to: at(o.to), from: at(o.from), length: o.pages * PAGE_SIZE });
        break;
      case 'splitDeferred':
      case 'ksmScan':
      case 'khugepagedScan':
      case 'ksmUnmerge':
      case 'swapOff':
      case 'finishMigrations':
        this.kernel[o.op]();
        break;
      case 'reclaim':
      case 'migrate':
      case 'startMigration': {
        const folio = process.folioAt(at(o.at));
        if (folio !== null) this.kernel[o.op](folio);
      }
    }
  }

  private splitFolio(process: Process, o: Extract<Operation, { op: 'splitFolio' }>): void {
    const { pfn, order } = process.pageAt(at(o.at));
    const folio = process.folioAt(at(o.at));
    if (folio === null || pfn === null || order <= o.order) return;
    this.kernel.splitFolio(folio, o.unequal ? { order: o.order, around: pfn - folio } : { order: o.order });
  }

  /** With the destination's VMA registered meanwhile, as the kernel asks. */
  private uffdMove(process: Process, move: UffdMove): void {
    const vma = process.vmas().find(({ start, end }) => start <= move.to && move.to < end);
    const length = vma === undefined ? 0 : vma.end - vma.start;
    if (vma !== undefined) process.uffdRegister(vma.start, length);
    try {
      process.uffdMove(move);
    } finally {
      if (vma !== undefined) process.uffdRegister(vma.start, length, false);
    }
  }

  private mmap(process: Process, o: Extract<Operation, { op: 'mmap' }>): void {
    const shared = o.memory === 'shared' || o.memory === 'file-shared';
    const flags = f.MAP_FIXED | o.flags | (shared ? f.MAP_SHARED : f.MAP_PRIVATE);
    const request = { prot: o.prot, at: at(o.at) };
    if (o.memory === 'private' || o.memory === 'shared')
      process.mmap(o.pages * PAGE_SIZE, { ...request, flags: flags | f.MAP_ANONYMOUS });
    else process.mmap(o.pages * PAGE_SIZE, { ...request, flags, file: this.file, offset: o.offset * PAGE_SIZE });
  }
}

const at = (page: ArenaPage): Address => (ARENA + page * PAGE_SIZE) as Address;
