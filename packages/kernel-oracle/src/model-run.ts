import {
  type Address,
  Kernel,
  type KernelOptions,
  type Operation,
  type Process,
  ProgramRun,
  type RmapStrategy,
} from '@rmap-lab/core';
import { lookAtModel } from './model-look.js';
import { Look } from './records.js';
import { EVERYTHING, type View } from './views.js';

/** Live objects: vm_area_struct, anon_vma, anon_vma_chain. */
export type Objects = readonly [vmas: number, anonVmas: number, chains: number];

/** VMAs of a worker that are no part of a program: its image and the mailboxes. */
const OWN_VMAS = 4;

/** A program under way in the model, and what can be seen of it. */
export class ModelRun {
  readonly kernel: Kernel;
  private readonly run: ProgramRun;
  private readonly heap: Address;

  constructor(strategy: RmapStrategy, options: Partial<KernelOptions> = {}) {
    this.kernel = new Kernel({ strategy, ...options });
    this.run = new ProgramRun(this.kernel);
    this.heap = this.run.processes[0].brk();
  }

  /** Live processes, oldest first. */
  get processes(): readonly Process[] {
    return this.run.processes;
  }

  /** Which of them does an operation. */
  actor({ process }: Operation): Process {
    return this.processes[process % this.processes.length];
  }

  /** Runs one operation; 'ok', the errno, or the signal. */
  apply(operation: Operation): string {
    const process = this.actor(operation);
    const result = this.run.apply(operation);
    // The worker does the same: what exec made is no part of the program.
    if (operation.op === 'exec') for (const { start, end } of process.vmas()) process.munmap(start, end - start);
    return result;
  }

  /** Lets all processes exit, and KSM its pins. */
  end(): void {
    for (const process of this.run.processes.splice(0)) process.exit();
    this.kernel.ksmUnmerge();
  }

  /** What a kernel would count. */
  objects(): Objects {
    const { slab } = this.kernel.stats();
    const live = (name: string): number => slab[name]?.live ?? 0;
    return [live('vm_area_struct') + OWN_VMAS * live('mm_struct'), live('anon_vma'), live('anon_vma_chain')];
  }

  /** All that `view` shows; with `keep` as records, not only as their hash. */
  look({ keep = false, view = EVERYTHING }: { readonly keep?: boolean; readonly view?: View } = {}): Look {
    const graph = view.anonVmas ? this.kernel.inspect() : null;
    const look = lookAtModel(this.processes, graph, this.heap, keep || view !== EVERYTHING);
    return view === EVERYTHING ? look : Look.of(view.show(look.records));
  }
}
