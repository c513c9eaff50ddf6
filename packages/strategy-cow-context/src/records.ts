/** "In this address space, indexes from `first` up to `end` may live at each of these deltas." */
export interface RemapRange {
  first: number;
  end: number;
  /** Sorted, never empty, never with 0: a place of birth needs no record. */
  readonly deltas: number[];
}

/** Puts a delta into a sorted array that lacks it. */
export type InsertDelta = (deltas: number[], delta: number) => void;

/** What {@link Records} take in memory: ranges, and slots of arrays in chunks of {@link CHUNK}; a single delta needs no array. */
export interface Room {
  readonly ranges: number;
  readonly chunks: number;
}

/** Deltas that the smallest array holds: the proof of concept makes it of one word, twice as large as that. */
const CHUNK = 2;
const NONE: readonly number[] = [];

/** Chunks of an array for `length` deltas: arrays start with one and double. */
function chunksFor(length: number): number {
  if (length < 2) return 0;
  let chunks = 1;
  while (chunks * CHUNK < length) chunks *= 2;
  return chunks;
}

/**
 * The remap records of one address space: disjoint ranges of indexes, each with a set of deltas, by index. Ranges are cut where
 * a record begins or ends, so that a record is always dropped as a whole.
 */
export class Records {
  readonly ranges: RemapRange[] = [];
  private chunks = 0;

  constructor(private readonly insert: InsertDelta) {}

  /** What is in use. */
  get room(): Room {
    return { ranges: this.ranges.length, chunks: this.chunks };
  }

  /** What {@link add} takes more than is in use. */
  roomFor(first: number, end: number, delta: number): Room {
    let ranges = 0;
    let chunks = 0;
    let covered = first;
    for (let i = this.find(first); i < this.ranges.length && this.ranges[i].first < end; i++) {
      const range = this.ranges[i];
      const own = chunksFor(range.deltas.length);
      const cuts = (range.first < first ? 1 : 0) + (range.end > end ? 1 : 0);
      ranges += cuts + (range.first > covered ? 1 : 0);
      chunks += cuts * own;
      if (!range.deltas.includes(delta)) chunks += chunksFor(range.deltas.length + 1) - own;
      covered = range.end;
    }
    if (covered < end) ranges++;
    return { ranges, chunks };
  }

  /** Records `delta` for [first, end). */
  add(first: number, end: number, delta: number): void {
    this.cut(first);
    this.cut(end);
    for (let from = first, i = this.find(first); from < end; i++) {
      const range = this.ranges[i];
      if (range === undefined || range.first > from) {
        const to = range === undefined ? end : Math.min(end, range.first);
        this.ranges.splice(i, 0, { first: from, end: to, deltas: [delta] });
        from = to;
      } else {
        this.change(range, (deltas) => {
          if (!deltas.includes(delta)) this.insert(deltas, delta);
        });
        from = range.end;
      }
    }
  }

  /** Forgets `delta` in every range that lies in [first, end), or with `overlapping` only touches it. */
  drop(first: number, end: number, delta: number, overlapping = false): void {
    for (let i = this.find(first); i < this.ranges.length && this.ranges[i].first < end; i++) {
      const range = this.ranges[i];
      if (!overlapping && (range.first < first || range.end > end)) continue;
      this.change(range, (deltas) => {
        if (deltas.includes(delta)) deltas.splice(deltas.indexOf(delta), 1);
      });
      if (range.deltas.length === 0) this.ranges.splice(i--, 1);
    }
  }

  /** Writes `to` over `from` in every range that touches [first, end); whether there was one. */
  replace(first: number, end: number, from: number, to: number): boolean {
    let found = false;
    for (let i = this.find(first); i < this.ranges.length && this.ranges[i].first < end; i++) {
      const { deltas } = this.ranges[i];
      const at = deltas.indexOf(from);
      if (at < 0) continue;
      deltas[at] = to;
      found = true;
    }
    return found;
  }

  /** Joins neighbours in [first, end) that say the same single delta: one VMA needs no borders inside. */
  join(first: number, end: number): void {
    for (let i = this.find(first) + 1; i < this.ranges.length && this.ranges[i].end <= end; ) {
      const left = this.ranges[i - 1];
      const right = this.ranges[i];
      const same = left.first >= first && left.end === right.first && left.deltas.length === 1 && right.deltas.length === 1;
      if (same && left.deltas[0] === right.deltas[0]) {
        left.end = right.end;
        this.ranges.splice(i, 1);
      } else i++;
    }
  }

  /** The one delta on both sides of a border at `index`; null: there is no border, or more to say on one side. */
  across(index: number): number | null {
    const at = this.find(index);
    const left = this.ranges[at - 1];
    const right = this.ranges[at];
    if (left?.end !== index || right?.first !== index || left.deltas.length > 1 || right.deltas.length > 1) return null;
    return left.deltas[0] === right.deltas[0] ? left.deltas[0] : null;
  }

  /** Takes the border at `index` away, {@link across} which all is the same. */
  heal(index: number): void {
    const at = this.find(index);
    this.ranges[at - 1].end = this.ranges[at].end;
    this.ranges.splice(at, 1);
  }

  /** All deltas at which an index from `first` to `last` may live, each once. */
  deltasIn(first: number, last: number): readonly number[] {
    const at = this.find(first);
    if (at === this.ranges.length || this.ranges[at].first > last) return NONE;
    const deltas = this.ranges[at].deltas.slice();
    for (let i = at + 1; i < this.ranges.length && this.ranges[i].first <= last; i++) {
      for (const delta of this.ranges[i].deltas) if (!deltas.includes(delta)) deltas.push(delta);
    }
    return deltas;
  }

  /** Forgets everything. */
  clear(): void {
    this.ranges.length = 0;
    this.chunks = 0;
  }

  /** Makes `at` a border. */
  private cut(at: number): void {
    const i = this.find(at);
    const range = this.ranges[i];
    if (range === undefined || range.first >= at) return;
    this.ranges.splice(i + 1, 0, { first: at, end: range.end, deltas: range.deltas.slice() });
    this.chunks += chunksFor(range.deltas.length);
    range.end = at;
  }

  private change(range: RemapRange, edit: (deltas: number[]) => void): void {
    this.chunks -= chunksFor(range.deltas.length);
    edit(range.deltas);
    this.chunks += chunksFor(range.deltas.length);
  }

  /** Position of the first range that ends behind `index`. */
  private find(index: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle].end > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Keeps the array sorted. */
export const insertSorted: InsertDelta = (deltas, delta) => {
  const at = deltas.findIndex((each) => each > delta);
  deltas.splice(at < 0 ? deltas.length : at, 0, delta);
};

/** As in the proof of concept: what stands where the new delta belongs is overwritten, not moved up. */
export const insertOverwriting: InsertDelta = (deltas, delta) => {
  // It sorts machine words, so that a delta below 0 comes last.
  const word = (each: number): number => (each < 0 ? each + 2 ** 52 : each);
  const at = deltas.findIndex((each) => word(each) > word(delta));
  if (at < 0) deltas.push(delta);
  else deltas[at] = delta;
};
