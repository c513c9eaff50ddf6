/**
 * What is compared: records of 32-bit words, written by native/look.c and look_proc.c for the kernel and by {@link Look} for the model, in the
 * same order. Identities (anon_vmas, folios, swap entries) are numbers in order of first appearance, so two looks are equal
 * exactly when a bijection makes them equal. Pages are counted from the start of the arena; those of the heap from 2^31.
 */
export const RECORDS = {
  /** Its place among the live processes; what follows is its own. */
  process: { type: 1, fields: ['process'] },
  vma: { type: 2, fields: ['start', 'end', 'flags', 'pgoff', 'anon_vma', 'file'] },
  /** A link of the VMA before it, newest first. */
  link: { type: 3, fields: ['anon_vma', 'root', 'parent', 'refcount', 'num_children', 'num_active_vmas'] },
  anon: { type: 4, fields: ['page', 'folio', 'sub', 'mapcount', 'exclusive', 'anon_vma', 'index', 'order', 'entire_mapcount'] },
  ksm: { type: 5, fields: ['page', 'folio', 'mapcount'] },
  zero: { type: 6, fields: ['page'] },
  swap: { type: 7, fields: ['page', 'entry'] },
  guard: { type: 8, fields: ['page'] },
} as const;

/** What is compared, in words. */
export const COLUMNS = [
  'results and errno',
  'VMA ranges, flags, pgoff, kind',
  'anon_vma identity, chain order, root, parent, refcount, num_children, num_active_vmas',
  'page kind, folio identity, place in the folio, order',
  'mapcount, entire mapcount, PG_anon_exclusive, mapping, index',
  'swap entries, guard markers',
  'live vm_area_struct, anon_vma, anon_vma_chain',
] as const;

/** First page of the heap in records. */
export const HEAP_PAGE = 2 ** 31;

/** `VM_*` flags that are compared: those that the model has. */
export const VISIBLE_FLAGS = 0xe637e90f | 0;

/** Writes records: a hash of them, and if `keep` the records. */
export class Look {
  readonly records: number[][] = [];
  private a = 0x811c9dc5 | 0;
  private b = 0x811c9dc5 | 0;
  private next = 0;
  private readonly names = new Map<string | number, number>();

  constructor(private readonly keep: boolean) {}

  /** One of these records. */
  static of(records: readonly (readonly number[])[]): Look {
    const look = new Look(true);
    for (const record of records) look.emit(...record);
    return look;
  }

  /** The number of an identity; null has 0. Keys of different kinds must differ. */
  name(key: string | number | null): number {
    if (key === null) return 0;
    let name = this.names.get(key);
    if (name === undefined) {
      name = ++this.next;
      this.names.set(key, name);
    }
    return name;
  }

  emit(...words: number[]): void {
    for (let i = 0; i < words.length; i++) {
      this.a = Math.imul(this.a ^ words[i], 0x9e3779b1);
      this.a ^= this.a >>> 15;
      this.b = Math.imul(this.b + words[i], 0x85ebca77);
      this.b = (this.b << 13) | (this.b >>> 19);
    }
    if (this.keep) this.records.push(words.map((word) => word >>> 0));
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    return hex8(this.a) + hex8(this.b);
  }
}

const hex8 = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

const BY_TYPE = new Map(Object.entries(RECORDS).map(([name, { type, fields }]) => [type as number, { name, fields }]));
const HEX_FIELDS = new Set(['flags']);

/** A record in words: `vma start 3 end 8 flags 0x100073 ...`. */
export function recordText([type, ...words]: readonly number[]): string {
  const known = BY_TYPE.get(type);
  if (known === undefined) return `record ${type} ${words.join(' ')}`;
  const fields = known.fields.map(
    (field, i) => `${field} ${HEX_FIELDS.has(field) ? `0x${words[i].toString(16)}` : page(words[i])}`,
  );
  return known.name === 'process' ? `process ${words[0]}` : `  ${known.name} ${fields.join(' ')}`;
}

const page = (word: number): string =>
  word >= HEAP_PAGE && word < HEAP_PAGE + 2 ** 30 ? `heap+${word - HEAP_PAGE}` : String(word);
