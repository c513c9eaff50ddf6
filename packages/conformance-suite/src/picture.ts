import { type Address, type Folio, type Kernel, PAGE_SIZE, type Process, type VmaInfo } from '@rmap-lab/core';

/** Pages of a VMA that are drawn. */
const MOST = 24;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Number of a page as programs and scenarios count them: both begin at an address whose low bits are zero. */
const numberOf = (address: Address): number => (address / PAGE_SIZE) % 2 ** 16;

/** Names of page frames by order of appearance: A .. Z, A1 .. Z1, and so on. */
class Names {
  private readonly names = new Map<number, string>();
  of(pfn: number): string {
    const known = this.names.get(pfn);
    if (known !== undefined) return known;
    const n = this.names.size;
    const name = LETTERS[n % LETTERS.length] + (n < LETTERS.length ? '' : String(Math.floor(n / LETTERS.length)));
    this.names.set(pfn, name);
    return name;
  }
}

/** A machine as a reader of a failure wants to see it. */
export interface Picture {
  /**
   * A line for each process, as the kernel's VMA tests draw them: each VMA with the number of its first page, and a letter for each
   * page frame that it maps (`.` none, `z` zeros, `s` swap, `m` migration, `g` guard). The same letter is the same frame.
   */
  readonly spaces: string;
  /** For each page whose walk finds something else than the page tables hold: both. */
  readonly mappings: string;
}

/** Draws a machine. */
export function pictureOf(kernel: Kernel): Picture {
  const names = new Names();
  const spaces = kernel.processes.map((process) => `process ${process.id}: ${drawProcess(process, names)}`.trimEnd());
  const mappings = [...kernel.folios()].flatMap((folio) => compare(kernel, folio, names));
  return { spaces: spaces.join('\n'), mappings: mappings.join('\n') };
}

const drawProcess = (process: Process, names: Names): string =>
  process
    .vmas()
    .map((vma) => drawVma(process, vma, names))
    .join('  ');

function drawVma(process: Process, { start, end, flags, faulted, anonPgoff }: VmaInfo, names: Names): string {
  const pages = (end - start) / PAGE_SIZE;
  const shown = Array.from({ length: Math.min(pages, MOST) }, (_, i) =>
    drawPage(process, (start + i * PAGE_SIZE) as Address, names),
  );
  const access = `${(flags & 1) !== 0 ? 'r' : '-'}${(flags & 2) !== 0 ? 'w' : '-'}`;
  const moved = anonPgoff % 2 ** 16 === numberOf(start) ? '' : ` offset ${anonPgoff % 2 ** 16}`;
  const more = pages > MOST ? `+${pages - MOST}` : '';
  return `${numberOf(start)}[${shown.join('')}${more}]${access}${faulted ? '' : ' untouched'}${moved}`;
}

function drawPage(process: Process, at: Address, names: Names): string {
  const { kind, pfn } = process.pageAt(at);
  if (pfn !== null) return kind === 'file' ? 'f' : names.of(pfn);
  return kind === 'none' ? '.' : kind[0];
}

function compare(kernel: Kernel, folio: Folio, names: Names): string[] {
  const place = ({ process, address }: { process: Process; address: Address }): string =>
    `process ${process.id} at ${numberOf(address)}`;
  const expected = kernel.mappings(folio).map(place);
  const found = walked(kernel, folio)?.map(place) ?? [];
  if (expected.length === found.length && expected.every((each) => found.includes(each))) return [];
  const list = (places: readonly string[]): string => places.join(', ') || 'nothing';
  return [`page ${names.of(folio)}: expected ${list(expected)}; found ${list(found)}`];
}

/** What a walk finds; null where the strategy breaks down. */
function walked(kernel: Kernel, folio: Folio): ReturnType<Kernel['walk']>['found'] | null {
  try {
    return kernel.uncounted(() => kernel.walk(folio)).found;
  } catch {
    return null;
  }
}
