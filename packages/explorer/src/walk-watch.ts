import {
  ContractViolation,
  type Folio,
  type FoundMapping,
  type Kernel,
  type Op,
  PAGE_SIZE,
  type Step,
  type Vma,
  type WalkResult,
} from '@rmap-lab/core';
import type { Hash } from './hash.js';

const nameOf = ({ process, address }: FoundMapping): string => `process ${process.id} at 0x${address.toString(16)}`;
/** Addresses have 48 bits, the lowest 12 of them zero. */
const placeOf = ({ process, address }: FoundMapping): number => process.id * 2 ** 36 + address / PAGE_SIZE;

/** The page of the folio that a process maps, which stays the same where its entry travels. */
const pageOf = ({ process, address }: FoundMapping, { anonPgoff, start }: Vma): number =>
  process.id * 2 ** 36 + anonPgoff + (address - start) / PAGE_SIZE;
const processOf = (page: number): number => Math.floor(page / 2 ** 36);
/** Stands for any page of a process: which it is can't be told while the range of a VMA is half changed. */
const anyPageOf = (process: number): number => (process + 1) * 2 ** 36 - 1;

/** Looks at the truth while a walk is under way: what maps the folio all the time must be visited, what never does must not. */
export class WalkWatch {
  private walking = false;
  /** The step of the walk that was made last. */
  private made: Step | null = null;
  /** Pages that a process had an entry for at every look so far, in a VMA that is its own. */
  private always = new Set<number>();
  /** By place of an entry: the pages that were seen there. */
  private readonly ever = new Map<number, Set<number>>();
  /** What maps the folio, as of so many changes of entries, in so many address spaces. */
  private mappings: readonly FoundMapping[] = [];
  private writes = Number.NaN;
  private spaces: readonly unknown[] = [];

  constructor(
    private readonly kernel: Kernel,
    private readonly folio: Folio,
    /** Whether what is read is traced. Then entries are read at every look: what the walk is held against depends on them. */
    private readonly traced: boolean,
  ) {}

  /** The walk, watched from its first step to its last. @throws ContractViolation R18 */
  *during(walk: Op<WalkResult>): Op<WalkResult> {
    this.walking = true;
    this.always = new Set(this.now());
    const result = yield* this.listen(walk);
    this.walking = false;
    this.look();
    const visited = new Set(result.found.flatMap((mapping) => [...(this.ever.get(placeOf(mapping)) ?? [])]));
    const missed = [...this.always].filter((page) => !visited.has(page));
    if (missed.length > 0)
      throw new ContractViolation(
        'R18',
        'walk',
        'walk',
        `folio ${this.folio} was mapped by ${this.ownersOf(missed, visited)} during the whole walk, which didn't visit it`,
      );
    const invented = result.found.filter((mapping) => !this.ever.has(placeOf(mapping))).map(nameOf);
    if (invented.length > 0)
      throw new ContractViolation('R17', 'walk', 'walk', `folio ${this.folio} was never mapped by ${invented.join(', ')}`);
    return result;
  }

  /** What was seen so far, which is part of the state. */
  digest(hash: Hash): void {
    hash.word(this.walking ? 1 : 2);
    for (const page of this.always) hash.number(page);
    const ever = [...this.ever].sort(([a], [b]) => a - b);
    for (const [place, pages] of ever) {
      hash.word(-1);
      hash.number(place);
      for (const page of [...pages].sort((a, b) => a - b)) hash.number(page);
    }
  }

  /** Call after every step of anybody; entries change after steps about them only, and never by a walk. */
  stepped(step: Step): void {
    const { kind, label } = step;
    if (this.walking && step !== this.made && (kind === 'pte' || kind === 'store' || label === 'ptl')) this.look();
  }

  /** The walk, step by step: when its next step is announced, the one before was made. */
  private *listen<T>(walk: Op<T>): Op<T> {
    let announced: Step | null = null;
    for (let turn = walk.next(); ; turn = walk.next()) {
      this.made = announced;
      if (turn.done) return turn.value;
      announced = turn.value;
      yield announced;
    }
  }

  private look(): void {
    const now = this.now();
    for (const page of this.always) if (!now.includes(page)) this.always.delete(page);
  }

  /** Who maps pages that were missed, and which, where others of the same process were visited. */
  private ownersOf(missed: readonly number[], visited: ReadonlySet<number>): string {
    const processes = [...new Set(missed.map(processOf))];
    const partly = processes.every((process) => visited.has(anyPageOf(process)));
    return `process ${processes.join(', ')}${partly ? ' in another place, too,' : ''}`;
  }

  /** The pages that somebody maps right now. */
  private now(): number[] {
    const { kernel } = this;
    if (this.stale()) {
      this.writes = kernel.entryWrites;
      this.spaces = kernel.processes.flatMap((process) => [process, process.mm]);
      this.mappings = kernel.mappings(this.folio);
      for (const mapping of this.mappings) {
        const place = placeOf(mapping);
        if (!this.ever.has(place)) this.ever.set(place, new Set());
      }
    }
    return kernel.unwatched(() => {
      const pages: number[] = [];
      for (const mapping of this.mappings) {
        const vma = mapping.process.mm.tree.lookup(mapping.address);
        if (vma === null) continue;
        const page = pageOf(mapping, vma);
        const any = anyPageOf(mapping.process.id);
        pages.push(page, any);
        this.ever.get(placeOf(mapping))?.add(page).add(any);
      }
      return pages;
    });
  }

  /** Whether the folio may be mapped by others than it was. To find out what maps it takes a look at all page tables. */
  private stale(): boolean {
    const { spaces, kernel } = this;
    const { processes } = kernel;
    if (this.traced || this.writes !== kernel.entryWrites || spaces.length !== 2 * processes.length) return true;
    for (let i = 0; i < processes.length; i++)
      if (spaces[2 * i] !== processes[i] || spaces[2 * i + 1] !== processes[i].mm) return true;
    return false;
  }
}
