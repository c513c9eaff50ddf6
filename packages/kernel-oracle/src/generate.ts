import type { Operation } from '@rmap-lab/core';
import * as linux from '@rmap-lab/core';
import type { Flavour } from './flavours.js';
import { FILE_PAGES } from './fresh.js';
import type { Random } from './random.js';

const MEMORY = [
  'private',
  'private',
  'private',
  'private',
  'private',
  'file-private',
  'file-private',
  'shared',
  'file-shared',
] as const;
/** Live processes at once, so that looks stay cheap. */
const MAX_PROCESSES = 8;
/** Places that an operation covers at most. */
const MAX_PLACES = 6;

type Kind = Operation['op'];
type Mmap = Extract<Operation, { op: 'mmap' }>;

/** A program. Weights are drawn anew for each (swarm), so that each stresses a few kinds. */
export function randomProgram(random: Random, flavour: Flavour, length: number = flavour.length): Operation[] {
  const bag = (Object.entries(flavour.kinds) as [Kind, number][]).flatMap(([kind, weight]) =>
    Array<Kind>(random.below(4) === 0 ? 0 : Math.ceil(weight * 4 * (1 + random.below(3)))).fill(kind),
  );
  bag.push(...Array<Kind>(4).fill('mmap'), ...Array<Kind>(8).fill('write'));
  const program: Operation[] = [];
  let live = 1;
  while (program.length < length) {
    const op = random.pick(bag);
    const born = op === 'fork' || op === 'thread';
    if ((born && live === MAX_PROCESSES) || (op === 'exit' && live === 1)) continue;
    const operation = randomOperation(random, op, random.below(live), flavour);
    program.push(operation);
    // Only memory that is not touched yet gets large folios.
    if (operation.op === 'mmap' && flavour.placePages > 1 && random.below(4) > 0) program.push(wantingFolios(operation));
    live += born ? 1 : op === 'exit' ? -1 : 0;
  }
  return program;
}

const wantingFolios = ({ process, at, pages }: Mmap): Operation => ({
  op: 'madvise',
  process,
  at,
  pages,
  advice: linux.MADV_HUGEPAGE,
});

function randomOperation(random: Random, op: Kind, process: number, flavour: Flavour): Operation {
  const { places, placePages, advice, protections } = flavour;
  const place = random.below(places);
  const count = 1 + random.below(Math.min(MAX_PLACES, places - place));
  const range = { process, at: place * placePages, pages: count * placePages };
  const touched = place * placePages + random.below(placePages);
  // Where a place may hold one folio, some operations end inside.
  if (op !== 'mmap' && placePages > 1 && random.below(4) === 0) {
    range.at = touched;
    range.pages = 1 + random.below(placePages);
  }
  const elsewhere = (): number => random.below(places) * placePages;
  switch (op) {
    case 'mmap':
      return {
        op,
        ...range,
        prot: random.pick(protections),
        ...mapping(random, flavour),
        offset: random.pick([place, random.below(12), random.below(12), FILE_PAGES - 2]),
      };
    case 'munmap':
    case 'mlock':
    case 'munlock':
      return { op, ...range };
    case 'mprotect':
      return { op, ...range, prot: random.pick(protections) };
    case 'madvise':
      return { op, ...range, advice: random.pick(advice) };
    case 'mremap':
      return random.below(4) === 0
        ? { op, ...range, newPages: (1 + random.below(8)) * placePages, to: null, dontUnmap: false }
        : { op, ...range, newPages: resized(random, count) * placePages, to: elsewhere(), dontUnmap: random.below(4) === 0 };
    case 'brk':
      return { op, process, pages: random.below(7) - 3 };
    case 'uffdMove':
      if (random.below(4) === 0) return { op, process, to: range.at, from: elsewhere(), pages: range.pages };
      return { op, process, to: touched, from: elsewhere() + random.below(placePages), pages: 1 + random.below(3) };
    case 'fill':
      return { op, process, at: touched, pattern: 1 + random.below(2) };
    case 'read':
    case 'write':
      return { op, process, at: touched };
    default:
      return { op: op as 'fork', process };
  }
}

const resized = (random: Random, places: number): number => (random.below(6) === 0 ? 1 + random.below(MAX_PLACES) : places);

function mapping(random: Random, { mmapFlags }: Flavour): Pick<Mmap, 'memory' | 'flags'> {
  const memory = random.pick(MEMORY);
  const flags = random.pick(mmapFlags);
  return { memory, flags: memory !== 'private' && flags === linux.MAP_GROWSDOWN ? 0 : flags };
}
