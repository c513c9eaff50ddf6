import type { FileMapping, Kernel, Process } from '@rmap-lab/core';
import type { FileRecord, ProcessRecord } from '../format.js';

/** A trace speaks of something that it never introduced, or introduces it twice: no replay can go on from there. */
export class UnknownReference extends Error {
  override readonly name = 'UnknownReference';
}

/** What a trace's numbers stand for in the kernel it is replayed on. */
export class World {
  private readonly processes = new Map<number, Process>();
  private readonly files = new Map<number, FileMapping>();

  constructor(readonly kernel: Kernel) {}

  /** The process that a record is about. @throws UnknownReference */
  process(number: number): Process {
    const process = this.processes.get(number);
    if (process === undefined) throw new UnknownReference(`process ${number} was never introduced, or has exited`);
    return process;
  }

  /** Makes the process that a record introduces. @throws UnknownReference, NoMemory */
  introduce({ process, parent, kind }: ProcessRecord): void {
    if (this.processes.has(process)) throw new UnknownReference(`process ${process} is introduced again while it is alive`);
    this.processes.set(process, this.make(kind, parent === null ? null : this.process(parent)));
  }

  /** A process is gone. @throws UnknownReference */
  exit(number: number): void {
    this.process(number).exit();
    this.processes.delete(number);
  }

  /** The file that a record names. @throws UnknownReference */
  file(number: number): FileMapping {
    const file = this.files.get(number);
    if (file === undefined) throw new UnknownReference(`file ${number} was never introduced`);
    return file;
  }

  /**
   * A file with no end in the model: its recorded size is what it had when it was seen first, and files grow. That a page was
   * touched says that it was there.
   */
  introduceFile({ file, name }: FileRecord): void {
    if (this.files.has(file)) throw new UnknownReference(`file ${file} is introduced again`);
    this.files.set(file, this.kernel.file(name));
  }

  private make(kind: ProcessRecord['kind'], parent: Process | null): Process {
    if (parent === null) return this.kernel.spawn();
    return kind === 'fork' ? parent.fork() : parent.thread();
  }
}
