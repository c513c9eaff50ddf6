/**
 * The same machine as one would first write it: an object for every folio, entry and VMA, in arrays, Maps and Sets. It is
 * what the benchmarks compare with, so it does the work that they measure and no more: no locks, no counters, no checks.
 * All positions are page numbers.
 */
class Folio {
  mapcount = 1;
  exclusive = true;
  version = 0;
  constructor(
    readonly index: number,
    readonly family: Family,
  ) {}
}

interface Entry {
  folio: Folio;
  writable: boolean;
}

/** The VMAs that may map the folios first touched in one of them: what an anon_vma is. */
class Family {
  readonly vmas = new Set<NaturalVma>();
}

class NaturalVma {
  own: Family | null = null;
  families: Family[] = [];
  constructor(
    readonly process: NaturalProcess,
    public start: number,
    public end: number,
    public writable: boolean,
    public offset = start,
  ) {}

  join(family: Family): void {
    this.families.push(family);
    family.vmas.add(this);
  }

  leave(): void {
    for (const family of this.families) family.vmas.delete(this);
  }

  /** A VMA for other pages that may map the same folios. */
  twin(process: NaturalProcess, start: number, end: number, offset: number): NaturalVma {
    const twin = new NaturalVma(process, start, end, this.writable, offset);
    for (const family of this.families) twin.join(family);
    twin.own = this.own;
    return twin;
  }
}

const LEAF = 512;

/** One process of the natural model. */
export class NaturalProcess {
  /** By address. */
  private readonly vmas: NaturalVma[] = [];
  private readonly leaves = new Map<number, (Entry | undefined)[]>();
  private writes = 0;

  mmap(start: number, pages: number, writable = true): void {
    this.vmas.splice(this.indexAbove(start), 0, new NaturalVma(this, start, start + pages, writable));
  }

  /** Takes out the VMA that begins at `start`. */
  munmap(start: number): void {
    const [vma] = this.vmas.splice(this.indexAbove(start) - 1, 1);
    for (let vpn = vma.start; vpn < vma.end; vpn++) this.take(vpn);
    vma.leave();
  }

  write(vpn: number): void {
    const vma = this.vmaAt(vpn);
    if (!vma.writable) throw new Error(`page ${vpn} is read-only`);
    const found = this.entry(vpn);
    if (found === undefined) this.put(vpn, { folio: this.newFolio(vma, vpn), writable: true });
    else if (!found.writable) this.unshare(vma, vpn, found);
    this.entry(vpn)!.folio.version = ++this.writes;
  }

  fork(): NaturalProcess {
    const child = new NaturalProcess();
    for (const vma of this.vmas) {
      const copy = vma.twin(child, vma.start, vma.end, vma.offset);
      copy.own = null;
      child.vmas.push(copy);
    }
    for (const [key, leaf] of this.leaves) child.leaves.set(key, leaf.map(share));
    return child;
  }

  /** Gives the pages [start, start + pages) of one VMA another protection; whole VMAs that become alike are joined. */
  mprotect(start: number, pages: number, writable: boolean): void {
    this.splitAt(start);
    this.splitAt(start + pages);
    const at = this.indexAbove(start) - 1;
    this.vmas[at].writable = writable;
    for (let vpn = start; vpn < start + pages; vpn++) {
      const entry = this.entry(vpn);
      if (entry !== undefined && !writable) entry.writable = false;
    }
    this.joinWithNext(at);
    this.joinWithNext(at - 1);
  }

  /** Moves the VMA that begins at `from`, with its pages. */
  mremap(from: number, to: number): void {
    const [vma] = this.vmas.splice(this.indexAbove(from) - 1, 1);
    const moved = vma.twin(this, to, to + vma.end - vma.start, vma.offset);
    this.vmas.splice(this.indexAbove(to), 0, moved);
    for (let i = 0; i < vma.end - vma.start; i++) {
      const entry = this.entry(from + i);
      if (entry === undefined) continue;
      this.leaves.get(Math.floor((from + i) / LEAF))![(from + i) % LEAF] = undefined;
      this.put(to + i, entry);
    }
    vma.leave();
  }

  /** Every process and page that map the folio at `vpn`. */
  walk(vpn: number): { process: NaturalProcess; vpn: number }[] {
    const { folio } = this.entry(vpn)!;
    const found: { process: NaturalProcess; vpn: number }[] = [];
    for (const { process, start, end, offset } of folio.family.vmas) {
      const there = start + folio.index - offset;
      if (there < start || there >= end) continue;
      if (process.entry(there)?.folio === folio) found.push({ process, vpn: there });
    }
    return found;
  }

  /** How many pages of all processes map the folio at `vpn`: the same search without a list. */
  countMappings(vpn: number): number {
    const { folio } = this.entry(vpn)!;
    let found = 0;
    for (const { process, start, end, offset } of folio.family.vmas) {
      const there = start + folio.index - offset;
      if (there >= start && there < end && process.entry(there)?.folio === folio) found++;
    }
    return found;
  }

  private entry(vpn: number): Entry | undefined {
    return this.leaves.get(Math.floor(vpn / LEAF))?.[vpn % LEAF];
  }

  private put(vpn: number, entry: Entry): void {
    const key = Math.floor(vpn / LEAF);
    let leaf = this.leaves.get(key);
    if (leaf === undefined) {
      leaf = new Array<Entry | undefined>(LEAF).fill(undefined);
      this.leaves.set(key, leaf);
    }
    leaf[vpn % LEAF] = entry;
  }

  private take(vpn: number): void {
    const leaf = this.leaves.get(Math.floor(vpn / LEAF));
    const entry = leaf?.[vpn % LEAF];
    if (entry === undefined) return;
    entry.folio.mapcount--;
    leaf![vpn % LEAF] = undefined;
  }

  private newFolio(vma: NaturalVma, vpn: number): Folio {
    if (vma.own === null) {
      vma.own = new Family();
      vma.join(vma.own);
    }
    return new Folio(vma.offset + vpn - vma.start, vma.own);
  }

  /** A write to a read-only page: use it again if nobody else maps it, else copy it. */
  private unshare(vma: NaturalVma, vpn: number, entry: Entry): void {
    entry.writable = true;
    if (entry.folio.exclusive) return;
    if (entry.folio.mapcount === 1) {
      entry.folio.exclusive = true;
      return;
    }
    entry.folio.mapcount--;
    entry.folio = this.newFolio(vma, vpn);
  }

  /** Number of VMAs that begin at or below `vpn`. */
  private indexAbove(vpn: number): number {
    let low = 0;
    let high = this.vmas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.vmas[middle].start <= vpn) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private vmaAt(vpn: number): NaturalVma {
    const vma = this.vmas[this.indexAbove(vpn) - 1];
    if (vma === undefined || vpn >= vma.end) throw new Error(`nothing is mapped at page ${vpn}`);
    return vma;
  }

  private splitAt(vpn: number): void {
    const at = this.indexAbove(vpn) - 1;
    const vma = this.vmas[at];
    if (vma === undefined || vma.start === vpn || vma.end <= vpn) return;
    this.vmas.splice(at + 1, 0, vma.twin(this, vpn, vma.end, vma.offset + vpn - vma.start));
    vma.end = vpn;
  }

  private joinWithNext(at: number): void {
    const left = this.vmas[at];
    const right = this.vmas[at + 1];
    if (left === undefined || right === undefined || left.end !== right.start || left.writable !== right.writable) return;
    if (left.own !== right.own || right.offset - left.offset !== right.start - left.start) return;
    left.end = right.end;
    right.leave();
    this.vmas.splice(at + 1, 1);
  }
}

/** The child's entry for the parent's: the folio is shared, and both sides lose the right to write. */
function share(entry: Entry | undefined): Entry | undefined {
  if (entry === undefined) return undefined;
  entry.writable = false;
  entry.folio.exclusive = false;
  entry.folio.mapcount++;
  return { folio: entry.folio, writable: false };
}
