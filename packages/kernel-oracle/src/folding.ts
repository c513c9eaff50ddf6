import { type ArenaPage, PAGE_SIZE } from '@rmap-lab/core';
import type { PlacedRecord } from '@rmap-lab/workloads';

/** Pages of a PMD entry: what is aligned stays aligned. */
const PMD = 512;
/** Pages between regions that are not kept: 1 GiB. */
const GAP = 2 ** 18;
/** Room that stays between regions, for stacks to grow. */
const ROOM = 2 ** 14;

/** Page numbers of a trace, which lie all over an address space, brought together in the arena; what is near to each other stays so. */
export class Folding {
  private constructor(
    private readonly regions: readonly { readonly start: number; readonly end: number; readonly to: ArenaPage }[],
  ) {}

  /** Of all pages that these records speak of. */
  static of(records: readonly PlacedRecord['record'][]): Folding {
    const spans = records.flatMap(spansOf).sort((a, b) => a.start - b.start);
    const regions: { start: number; end: number; to: number }[] = [];
    for (const { start, end } of spans) {
      const last = regions.at(-1);
      if (last !== undefined && start <= last.end + GAP) last.end = Math.max(last.end, end);
      else regions.push({ start: Math.floor(start / PMD) * PMD, end, to: 0 });
    }
    let to = 0;
    for (const region of regions) {
      region.to = to += ROOM;
      to += Math.ceil((region.end - region.start) / PMD) * PMD;
    }
    return new Folding(regions);
  }

  /** @throws OutsideArena: no record spoke of it */
  fold(page: number): ArenaPage {
    const region = this.regions.find(({ start, end }) => start <= page && page <= end);
    if (region === undefined) throw new OutsideArena(`page ${page} has no place in the arena`);
    return region.to + (page - region.start);
  }
}

/** A page that was not brought into the arena. */
export class OutsideArena extends Error {
  override readonly name = 'OutsideArena';
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spansOf(record: PlacedRecord['record']): Span[] {
  const span = (at: number, length: number): Span => ({
    start: Math.floor(at / PAGE_SIZE),
    end: Math.ceil((at + length) / PAGE_SIZE),
  });
  switch (record.type) {
    case 'exec':
      return [
        ...record.layout.map(({ start, end }) => span(start, end - start)),
        ...(record.brk === null ? [] : [span(record.brk, 1)]),
      ];
    case 'touch':
      return [{ start: record.first, end: record.first + record.count * record.stride }];
    case 'kernel':
      return [{ start: record.first, end: record.first + record.pages }];
    case 'call': {
      const { call, args, result } = record;
      if (typeof result !== 'number') return [];
      if (call === 'brk') return [span(result, 1)];
      const at = call === 'mmap' ? result : args[0];
      return call === 'mremap' ? [span(at, args[1]), span(result, args[2])] : [span(at, args[1])];
    }
    default:
      return [];
  }
}
