import {
  type Address,
  type Folio,
  isOp,
  Kernel,
  type KernelOptions,
  type Op,
  PAGE_SIZE,
  type Pgoff,
  type Process,
  pageOf,
  type Rmap,
  type RmapHold,
  type RmapVisitor,
  type Vma,
} from '@rmap-lab/core';
import { anonVma } from '../src/index.js';

/** Where the one page of every process is. */
export const AT = 0x10000000 as Address;

/** The folio at {@link AT}. */
export const folioOf = (process: Process): Folio => process.folioAt(AT) as Folio;

/** A kernel whose reverse map a test calls itself, where core has no caller yet or the caller would hide the answer. */
export class Opened {
  readonly kernel: Kernel;
  rmap!: Rmap;

  constructor(options: Partial<KernelOptions> = {}) {
    const strategy = anonVma();
    const create: typeof strategy.create = (services) => {
      this.rmap = strategy.create(services);
      return this.rmap;
    };
    this.kernel = new Kernel({ strategy: { ...strategy, create }, ...options });
  }

  run<T>(program: () => Op<T>): T {
    return this.kernel.run(program());
  }

  /** A process with one written page at {@link AT}. */
  spawn(): Process {
    const process = this.kernel.spawn();
    process.mapAt(AT, PAGE_SIZE);
    process.write(AT);
    return process;
  }

  *hold(folio: Folio, mode: 'pin' | 'read' | 'write', wait = true): Op<RmapHold> {
    const answer = this.rmap.hold(folio, mode, wait);
    return isOp(answer) ? yield* answer : answer;
  }

  *holdVma(vma: Vma, mode: 'pin' | 'write'): Op<RmapHold> {
    const answer = this.rmap.holdVma(vma, mode);
    return isOp(answer) ? yield* answer : answer;
  }

  *release(hold: RmapHold): Op<void> {
    const work = this.rmap.release(hold);
    if (work) yield* work;
  }

  /** The VMAs that a walk for the page at {@link AT} offers. */
  *offered(hold: RmapHold, folio: Folio): Op<Vma[]> {
    const offered: Vma[] = [];
    const visitor: RmapVisitor = { found: 0, visit: (vma) => offered.push(vma) > 0, restart: () => {} };
    const index = pageOf(AT) as number as Pgoff;
    yield* this.rmap.walk(hold, { folio, first: index, last: index, mappings: null }, visitor);
    return offered;
  }

  /** The same under a hold of its own. */
  offeredNow(folio: Folio): Vma[] {
    const t = this;
    return this.run(function* () {
      const hold = yield* t.hold(folio, 'read');
      const offered = yield* t.offered(hold, folio);
      yield* t.release(hold);
      return offered;
    });
  }

  /** The VMA at {@link AT}. */
  vmaOf(process: Process): Vma {
    return this.offeredNow(folioOf(process)).find(({ mm }) => mm === process.mm) as Vma;
  }
}
