import {
  type Address,
  Kernel,
  MADV_HUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  PAGE_SIZE,
  type Process,
} from '@rmap-lab/core';
import { describe, expect, test } from 'vitest';
import { anonVma } from '../src/index.js';
import { Lab, NOTHING } from './lab.js';

/** A program in the words of the lab, and what it showed on a running Linux 6.18.44. */
type Vector = readonly [number: number, program: string, expected: string];

const THREE = 'map 10-15; write 10; map 20-25; write 20';

const vectors: readonly Vector[] = [
  [1, 'map 10-20; read 12; vmas', '10-20:-@10'],
  [2, 'map 10-20; write 13; vmas; A0', '10-20:A0@10 A0(1,1,1)^A0'],
  [3, 'map 10-20; write 13; protect 14-16 ro; vmas; A0', '10-14:A0@10 14-16:A0@14 16-20:A0@16 A0(1,3,1)^A0'],
  [
    4,
    'map 10-20; write 13; unmap 14-16; vmas; A0; |; map 14-16; vmas; A0',
    '10-14:A0@10 16-20:A0@16 A0(1,2,1)^A0 | 10-20:A0@10 A0(1,1,1)^A0',
  ],
  [5, 'map 10-15; map 15-20 rwx; write 10; write 15; vmas; A0', '10-15:A0@10 15-20:A0@15 A0(1,2,1)^A0'],
  [6, 'map 10-15; map 15-20; advise 15-20 dontfork; write 10; write 15; advise 15-20 dofork; vmas', '10-15:A0@10 15-20:A1@15'],
  [7, `${THREE}; map 15-20 rwx; write 15; vmas`, '10-15:A0@10 15-20:A1@15 20-25:A1@20'],
  [8, `${THREE}; map 15-20; vmas`, '10-20:A0@10 20-25:A1@20'],
  [9, `${THREE}; map 15-20 ro; protect 15-20 rw; vmas`, '10-20:A0@10 20-25:A1@20'],
  [10, 'map 10-15; move 10-15 100; vmas', '100-105:-@100'],
  [
    11,
    'map 10-15; write 10; move 10-15 100; map 105-110; map 95-100; vmas; |; move 100-105 10; vmas',
    '95-100:-@95 100-105:A0@10 105-110:-@105 | 10-15:A0@10 95-100:-@95 105-110:-@105',
  ],
  [
    12,
    'map 10-20; write 10; move 13-17 100; vmas; A0; |; move 100-104 13; vmas',
    '10-13:A0@10 17-20:A0@17 100-104:A0@13 A0(1,3,1)^A0 | 10-20:A0@10',
  ],
  [
    13,
    'map 10-15; write 10; move-dontunmap 10-15 100; vmas; |; write 10; vmas',
    '10-15:-@10 100-105:A0@10 | 10-15:A1@10 100-105:A0@10',
  ],
  [
    14,
    'map 10-15; write 10; move 10-15 100; move-dontunmap 100-105 200; map 105-110; vmas; |; write 100; vmas',
    '100-105:-@10 105-110:-@105 200-205:A0@10 | 100-105:A1@10 105-110:-@105 200-205:A0@10',
  ],
  [15, 'map 10-20; write 10; move-dontunmap 12-15 100; vmas; A0', '10-20:A0@10 100-103:A0@12 A0(1,2,1)^A0'],
  [
    16,
    'map 10-13; write 10; map 13-16 ro; map 20-23; write 20; move 10-23 200; vmas',
    '200-203:A0@10 203-206:-@203 210-213:A1@20',
  ],
  [17, 'map 13-16; write 13; move 13-16 100; map 10-13; move 100-103 13; vmas', '10-16:A0@10'],
  [
    18,
    'map 13-16; write 13; fork; 1: move 13-16 100; 1: map 10-13; 1: move 100-103 13; 1: vmas',
    '10-13:-@10 13-16:A1@13[A1 A0]',
  ],
  [
    19,
    'map 10-15; write 10; fork; 1: vmas; A1; A0; |; 1: exit; A0',
    '10-15:A1@10[A1 A0] A1(0,1,1)^A0 A0(2,1,2)^A0 | A0(1,1,1)^A0',
  ],
  [
    20,
    'map 10-15; write 10-15; fork; 1: write 10-15; 1: map 15-20; 1: write 15; 1: vmas; |; map 15-20; write 15; vmas',
    '10-15:A1@10[A1 A0] 15-20:A2@15 | 10-20:A0@10',
  ],
  [
    21,
    'map 10-15; write 10; fork; 1: protect 12-13 ro; A1; |; 1: protect 12-13 rw; 1: vmas',
    'A1(0,3,1)^A0 | 10-15:A1@10[A1 A0]',
  ],
  [22, 'map 10-15; write 10; fork; 1: grow 10-15 8; 1: vmas', '10-18:A1@10[A1 A0]'],
  [23, 'sbrk 2; fork; 1: sbrk 1; 1: heap; A2; |; sbrk 1; heap', '0-2:A1@0[A1 A0] 2-3:A2@2 A2(1,1,1)^A2 | 0-3:A0@0'],
  [
    24,
    'map 10-16; write 10; protect 12-14 ro; fork; 1: protect 12-14 rw; 1: vmas',
    '10-12:A1@10[A1 A0] 12-14:A2@12[A2 A0] 14-16:A3@14[A3 A0]',
  ],
  [
    25,
    'map 10-12; write 10; fork; 1: fork; 1: exit; 2: vmas; |; 2: fork; 3: vmas; A1; |; 3: fork; 4: vmas; A3',
    '10-12:A2@10[A2 A1 A0] | 10-12:A1@10[A2 A1 A0] A1(1,1,1)^A0 | 10-12:A3@10[A3 A2 A1 A0] A3(0,1,1)^A1',
  ],
  [
    26,
    'map 10-12; write 10; advise 10-12 wipeonfork; map 20-22; write 20; advise 20-22 dontfork; map 30-32; read 30; ' +
      'map 40-42; write 40; fork; 1: vmas; 1: kind 10; 1: kind 30; 1: mapcount 40',
    '10-12:-@10 30-32:-@30 40-42:A3@40[A3 A2] none none 2',
  ],
  [
    27,
    'map 10-14; write 10-14; fork; frame 10; write 10; frame 10; |; 1: write 10; 1: frame 10; |; ' +
      'frame 11; 1: write 11; 1: frame 11; |; 1: exit; frame 12; write 12; frame 12',
    'F0 F1 | F0 | F2 F3 | F4 F4',
  ],
  [
    30,
    'map 10-15 file=3; read 10; vmas; |; write 11; vmas; index 11; |; move 10-15 100; vmas',
    '10-15:-@3 | 10-15:A0@3 4 | 100-105:A0@3',
  ],
  [
    31,
    'map 10-19; protect 10-13 ro; protect 16-19 ro; write 13; protect 13-16 ro; vmas; |; unmap 10-19; ' +
      'map 10-19 noreserve; protect 10-13 ro; protect 16-19 ro; write 13; protect 13-16 ro; vmas',
    '10-13:-@10 13-16:A0@13 16-19:-@16 | 10-19:A1@10',
  ],
  [32, 'map 10-19; write 10; unmap 13-16; grow 10-13 6; vmas', '10-19:A0@10'],
  [33, 'map 10-13; write 10; map 20-23; write 20; grow 10-13 10; vmas', '10-20:A0@10 20-23:A1@20'],
  [34, 'map 10-15; advise 10-11 guard; write 12; map 15-20; vmas', '10-20:A0@10'],
  [35, 'map 10-15; write 10; advise 10-15 dontneed; move 10-15 100; vmas', '100-105:A0@10'],
  [
    36,
    'map 10-19; write 10; lock 12-14; vmas; A0; |; unlock 12-14; vmas',
    '10-12:A0@10 12-14:A0@12 14-19:A0@14 A0(1,3,1)^A0 | 10-19:A0@10',
  ],
  [37, 'map 10-13; write 10; map 16-19; fork; 1: grow 10-13 6; 1: vmas', '10-19:A1@10[A1 A0]'],
  [
    38,
    'map 10-13; write 10; fork; 1: move 10-13 100; 1: map 13-16; 1: move 100-103 10; 1: vmas; |; 1: exit; ' +
      'move 10-13 100; map 13-16; move 100-103 10; vmas',
    '10-13:A1@10[A1 A0] 13-16:-@13 | 10-16:A0@10',
  ],
  [39, 'map 10-15; write 10; map 16-21; write 16; map 50-51; move 50-51 15; vmas', '10-16:A0@10 16-21:A1@16'],
  [40, 'map 10-15 file=0; map 50-55 file=5; write 50; move 50-55 15; vmas', '10-20:A0@0'],
  [41, 'map 15-20; move-dontunmap 15-20 10; vmas', '10-20:-@10'],
];

describe.each([
  ['', {}],
  [' in checked mode', { checked: true }],
  [' without the fast fault path', { fastFault: false }],
])('the golden vectors%s', (_, options) => {
  test.each(vectors)('vector %i: %s', (_number, program, expected) => {
    const lab = new Lab(options);
    expect(lab.run(program)).toBe(expected);
    expect(lab.end()).toBe(NOTHING);
  });
});

describe.each([
  ['', {}],
  [' in checked mode', { checked: true }],
])('the golden vectors of large folios%s', (_, options) => {
  const MIB2 = 512 * PAGE_SIZE;
  const start = (): { kernel: Kernel; process: Process; at: Address } => {
    const kernel = new Kernel({ strategy: anonVma(), ...options });
    const process = kernel.spawn();
    const at = 0x100000000000 as Address;
    process.mmap(MIB2, { at, flags: MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS });
    process.madvise(at, MIB2, MADV_HUGEPAGE);
    return { kernel, process, at };
  };

  test('vector 28: a child copies one page of a shared folio; the parent reuses it after the exit', () => {
    const { kernel, process, at } = start();
    process.write(at);
    const page2 = (at + 2 * PAGE_SIZE) as Address;
    const child = process.fork();
    child.write(page2);
    expect(child.pageAt(page2)).toMatchObject({ order: 0, mapcount: 1, exclusive: true });
    expect(process.pageAt(page2)).toMatchObject({ order: 9, mapcount: 1 });
    expect(process.pageAt(at)).toMatchObject({ order: 9, mapcount: 2 });
    const { pfn } = process.pageAt(page2);
    child.exit();
    process.write(page2);
    expect(process.pageAt(page2)).toMatchObject({ pfn, exclusive: true, writable: true });
    kernel.verify();
  });

  test('vector 29: a read of aligned memory that wants large folios maps the huge zero page and makes an anon_vma', () => {
    const { kernel, process, at } = start();
    process.read(at);
    expect(process.pageAt(at).kind).toBe('zero');
    expect(kernel.stats().slab.anon_vma.live).toBe(1);
    expect(kernel.stats().pages.live).toBe(0);
    kernel.verify();
  });
});
