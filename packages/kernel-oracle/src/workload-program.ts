import * as linux from '@rmap-lab/core';
import { type Operation, PAGE_SIZE } from '@rmap-lab/core';
import type { CallRecord, ExecRecord, KernelRecord, PlacedRecord, ProcessRecord, TouchRecord } from '@rmap-lab/workloads';
import { Folding, OutsideArena } from './folding.js';
import { FILE_PAGES } from './fresh.js';
import { BadProgram } from './saved-program.js';

/** A workload as a program, and what of it could not be said as one. */
export interface WorkloadProgram {
  readonly program: readonly Operation[];
  readonly notes: readonly string[];
}

/** Workers that the driver has room for, less the two that are always there. */
const MAX_PROCESSES = 250;
/** Flags of mmap that say how memory behaves, not where it lies. */
const KEPT_FLAGS =
  linux.MAP_NORESERVE | linux.MAP_LOCKED | linux.MAP_POPULATE | linux.MAP_NONBLOCK | linux.MAP_STACK | linux.MAP_GROWSDOWN;
const RW = linux.PROT_READ | linux.PROT_WRITE;

/** The end of a heap, which threads share; null: not known before the first brk. */
interface Heap {
  end: number | null;
}

/**
 * The system calls and touches of a trace at addresses of the arena. The heap is a mapping like any other, all files are pieces of one,
 * and what a recorded kernel refused is left out. @throws BadProgram: more processes at once than the driver has room for
 */
export async function workloadProgram(records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>): Promise<WorkloadProgram> {
  const all: PlacedRecord['record'][] = [];
  for await (const { record } of records) all.push(record);
  const translation = new Translation(Folding.of(all));
  for (const record of all) translation.take(record);
  return translation.done();
}

class Translation {
  private readonly program: Operation[] = [];
  /** Trace's numbers of the live processes, oldest first, behind the one that programs start with and that does nothing here. */
  private readonly live: (number | null)[] = [null];
  private readonly heaps = new Map<number, Heap>();
  private readonly fileBase = new Map<number, number>();
  private readonly leftOut = new Map<string, number>();
  private readonly notInTrace: string[] = [];

  constructor(private readonly folding: Folding) {}

  done(): WorkloadProgram {
    const leftOut = [...this.leftOut].map(([what, count]) => `left out: ${count} ${what}`);
    return { program: this.program, notes: [...this.notInTrace, ...leftOut] };
  }

  take(record: PlacedRecord['record']): void {
    try {
      this.translate(record);
    } catch (error) {
      if (!(error instanceof OutsideArena)) throw error;
      this.skip('records of memory that has no place in the arena');
    }
  }

  private translate(record: PlacedRecord['record']): void {
    switch (record.type) {
      case 'header':
        if ('left-out' in record.options) this.notInTrace.push(`not in the trace: ${record.options['left-out']}`);
        break;
      case 'process':
        this.process(record);
        break;
      case 'exec':
        this.exec(record);
        break;
      case 'exit':
        this.exit(record.process);
        break;
      case 'call':
        this.call(record);
        break;
      case 'touch':
        this.touch(record);
        break;
      case 'kernel':
        this.kernel(record);
    }
  }

  private process({ process, parent, kind }: ProcessRecord): void {
    this.program.push({ op: kind === 'fork' || kind === 'spawn' ? 'fork' : 'thread', process: this.place(parent) });
    this.live.push(process);
    if (this.live.length > MAX_PROCESSES)
      throw new BadProgram(
        `the workload has more than ${MAX_PROCESSES} processes at once, and the kernel's driver has no room for more`,
      );
    const heap = parent === null ? { end: null } : (this.heaps.get(parent) as Heap);
    this.heaps.set(process, kind === 'fork' ? { ...heap } : heap);
  }

  private exit(process: number): void {
    this.program.push({ op: 'exit', process: this.place(process) });
    this.live.splice(this.place(process), 1);
  }

  private exec({ process, brk, layout }: ExecRecord): void {
    this.program.push({ op: 'exec', process: this.place(process) });
    this.heaps.set(process, { end: brk ?? layout.find(({ kind }) => kind === 'heap')?.end ?? null });
    for (const { start, end, prot, shared, kind, file, offset } of layout)
      this.map(process, {
        at: start,
        length: end - start,
        prot,
        flags: kind === 'stack' ? linux.MAP_GROWSDOWN : 0,
        shared,
        file: kind === 'file' ? file : null,
        offset,
      });
  }

  private call({ process, call, args, result }: CallRecord): void {
    if (typeof result !== 'number') {
      this.skip('calls that the recorded kernel refused');
      return;
    }
    const [at, length, third, flags, file, offset] = args;
    switch (call) {
      case 'mmap': {
        const anonymous = file === -1 || (flags & linux.MAP_ANONYMOUS) !== 0;
        const shared = (flags & linux.MAP_SHARED) !== 0;
        if ((flags & linux.MAP_TYPE) === linux.MAP_DROPPABLE) this.skip('times MAP_DROPPABLE: the memory is private here');
        this.map(process, { at: result, length, prot: third, flags, shared, file: anonymous ? null : file, offset });
        break;
      }
      case 'mremap':
        this.mremap(process, at, length, third, flags, result);
        break;
      case 'brk':
        this.brk(process, result);
        break;
      case 'mprotect':
        this.program.push({ op: call, ...this.range(process, at, length), prot: third });
        break;
      case 'madvise':
        this.program.push({ op: call, ...this.range(process, at, length), advice: third });
        break;
      default:
        this.program.push({ op: call, ...this.range(process, at, length) });
    }
  }

  private touch({ process, first, count, stride, write }: TouchRecord): void {
    const op = write ? 'write' : 'read';
    for (let i = 0; i < count; i++)
      this.program.push({ op, process: this.place(process), at: this.folding.fold(first + i * stride) });
  }

  private kernel({ action, process, first, pages }: KernelRecord): void {
    const actor = this.place(process);
    const at = this.folding.fold(first);
    if (action === 'collapse') this.program.push({ op: 'madvise', process: actor, at, pages, advice: linux.MADV_COLLAPSE });
    else if (action === 'swap-in') for (let i = 0; i < pages; i++) this.program.push({ op: 'read', process: actor, at: at + i });
    else if (action === 'ksm-merge') {
      for (let i = 0; i < pages; i++) this.program.push({ op: 'fill', process: actor, at: at + i, pattern: 1 });
      this.program.push({ op: 'ksmScan', process: actor });
    } else this.skip(`acts of the kernel that nobody can ask for (${action})`);
  }

  private place(process: number | null): number {
    return this.live.indexOf(process);
  }

  private skip(what: string): void {
    this.leftOut.set(what, (this.leftOut.get(what) ?? 0) + 1);
  }

  private range(process: number, at: number, length: number) {
    return { process: this.place(process), at: this.folding.fold(at / PAGE_SIZE), pages: Math.ceil(length / PAGE_SIZE) };
  }

  private map(
    process: number,
    o: { at: number; length: number; prot: number; flags: number; shared: boolean; file: number | null; offset: number },
  ): void {
    const sharing = o.shared ? 'shared' : 'private';
    this.program.push({
      op: 'mmap',
      ...this.range(process, o.at, o.length),
      prot: o.prot,
      flags: o.flags & KEPT_FLAGS,
      memory: o.file === null ? sharing : `file-${sharing}`,
      offset: o.file === null ? 0 : (this.baseOf(o.file) + o.offset / PAGE_SIZE) % FILE_PAGES,
    });
  }

  /** Where a file's pages lie in the one file that there is. */
  private baseOf(file: number): number {
    const base = this.fileBase.get(file) ?? (this.fileBase.size * 331) % FILE_PAGES;
    this.fileBase.set(file, base);
    return base;
  }

  private mremap(process: number, at: number, length: number, newLength: number, flags: number, to: number): void {
    this.program.push({
      op: 'mremap',
      ...this.range(process, at, length),
      newPages: Math.ceil(newLength / PAGE_SIZE),
      to: to === at ? null : this.folding.fold(to / PAGE_SIZE),
      dontUnmap: (flags & linux.MREMAP_DONTUNMAP) !== 0,
    });
  }

  private brk(process: number, end: number): void {
    const heap = this.heaps.get(process) as Heap;
    const [old, fresh] = [heap.end ?? end, end].map((each) => Math.ceil(each / PAGE_SIZE) * PAGE_SIZE);
    heap.end = end;
    if (fresh > old)
      this.map(process, { at: old, length: fresh - old, prot: RW, flags: 0, shared: false, file: null, offset: 0 });
    if (fresh < old) this.program.push({ op: 'munmap', ...this.range(process, fresh, old - fresh) });
  }
}
