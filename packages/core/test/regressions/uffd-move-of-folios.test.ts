import { beforeEach, expect, it } from 'vitest';
import {
  type Address,
  type Folio,
  Kernel,
  MADV_HUGEPAGE,
  MADV_WILLNEED,
  PAGE_SIZE,
  type Process,
  type Rmap,
} from '../../src/index.js';
import { pageList } from '../support/page-list.js';
import { scanAll } from '../support/scan-all.js';

const page = (n: number): Address => (0x100000000000 + n * PAGE_SIZE) as Address;
let kernel: Kernel;
let process: Process;

function map(first: number, pages: number): void {
  process.mapAt(page(first), pages * PAGE_SIZE);
  process.madvise(page(first), pages * PAGE_SIZE, MADV_HUGEPAGE);
}

const move = (to: number, from: number, pages: number): number =>
  process.uffdMove({ to: page(to), from: page(from), length: pages * PAGE_SIZE });

beforeEach(() => {
  kernel = new Kernel({ strategy: pageList(), thp: { orders: { 4: 'madvise', 9: 'madvise' } } });
  process = kernel.spawn();
});

it('UFFDIO_MOVE takes a PMD entry along as a whole, with its folio or as the huge zero page', () => {
  map(512, 1024);
  map(2048, 1024);
  process.write(page(515));
  process.read(page(1024));
  const { pfn } = process.pageAt(page(515));
  expect(move(2048, 512, 1024)).toBe(1024 * PAGE_SIZE);
  expect(process.pageAt(page(2051))).toMatchObject({ pfn, byPmd: true, exclusive: true, writable: true, version: 1 });
  expect(process.pageAt(page(2560)).kind).toBe('zero');
  expect(process.pageAt(page(515)).kind).toBe('none');
  kernel.verify();
  process.write(page(2570));
  expect(process.pageAt(page(2570)).byPmd).toBe(true);
  process.munmap(page(512), 1024 * PAGE_SIZE);
  process.munmap(page(2048), 1024 * PAGE_SIZE);
  kernel.verify();
});

// The PMD entry had been split by then.
it.each(['a folio that a fork shares: EBUSY', 'a place that has a folio: EEXIST'])(
  'UFFDIO_MOVE splits nothing when it is refused by %s',
  (why) => {
    map(512, 512);
    map(2048, 512);
    process.write(page(512));
    if (why.endsWith('EBUSY')) process.fork();
    else process.write(page(2048));
    expect(() => move(2048, 512, 1)).toThrow(why.slice(-6).trim());
    expect(process.pageAt(page(512)).byPmd).toBe(true);
    kernel.verify();
  },
);

// The page itself was asked.
it('UFFDIO_MOVE asks the first page of a large folio whether it is shared', () => {
  map(0, 16);
  map(32, 16);
  for (let n = 0; n < 16; n++) process.write(page(n));
  process.fork().exit();
  process.write(page(3));
  expect(() => move(35, 3, 1)).toThrow('EBUSY');
  expect(process.pageAt(page(3)).order).toBe(4);
  process.write(page(0));
  expect(() => move(35, 4, 1)).toThrow('EBUSY');
  expect(process.pageAt(page(4)).order).toBe(0);
  kernel.verify();
});

it('UFFDIO_MOVE waits for a page that is on its way elsewhere, and leaves it used of late', () => {
  map(0, 16);
  map(32, 16);
  process.write(page(0));
  kernel.startMigration(process.folioAt(page(0)) as Folio);
  expect(move(32, 0, 1)).toBe(PAGE_SIZE);
  expect(kernel.idle(process.folioAt(page(32)) as Folio)).toBe(false);
  kernel.verify();
});

// It was said to have a new place before it was said to have any, and stayed without a reverse map.
it('a page that was only read ahead gets its first anchor from UFFDIO_MOVE', () => {
  const events: string[] = [];
  const strategy = scanAll();
  kernel = new Kernel({
    strategy: {
      ...strategy,
      create: (services) => {
        const rmap: Rmap = strategy.create(services);
        const { anchor } = rmap;
        return Object.assign(rmap, {
          anchor: (...args: Parameters<Rmap['anchor']>) => {
            events.push(args[2]);
            return anchor.apply(rmap, args);
          },
        });
      },
    },
  });
  process = kernel.spawn();
  map(0, 4);
  map(32, 4);
  process.write(page(0));
  kernel.reclaim(process.folioAt(page(0)) as Folio);
  process.madvise(page(0), PAGE_SIZE, MADV_WILLNEED);
  expect(move(32, 0, 1)).toBe(PAGE_SIZE);
  process.read(page(32));
  expect(events).toEqual(['new', 'new']);
  kernel.verify();
});
