/** A page number relative to the program's arena, so that a program runs anywhere, also on a real kernel. */
export type ArenaPage = number;

/**
 * One operation of a program, as plain data: it can be stored, shrunk, printed as code and run on any machine. `process` counts
 * the live processes from 0, modulo their number, so that a shrunk program still means something.
 */
export type Operation =
  | {
      readonly op: 'mmap';
      readonly process: number;
      readonly at: ArenaPage;
      readonly pages: number;
      /** `PROT_*` */
      readonly prot: number;
      /** `MAP_*` beside MAP_FIXED and the kind of memory. */
      readonly flags: number;
      readonly memory: 'private' | 'shared' | 'file-private' | 'file-shared';
      /** First page of the file, for file memory. */
      readonly offset: number;
    }
  | { readonly op: 'munmap' | 'mlock' | 'munlock'; readonly process: number; readonly at: ArenaPage; readonly pages: number }
  | { readonly op: 'mprotect'; readonly process: number; readonly at: ArenaPage; readonly pages: number; readonly prot: number }
  | { readonly op: 'madvise'; readonly process: number; readonly at: ArenaPage; readonly pages: number; readonly advice: number }
  | {
      readonly op: 'mremap';
      readonly process: number;
      readonly at: ArenaPage;
      readonly pages: number;
      readonly newPages: number;
      /** Destination (MREMAP_FIXED), or null: grow or shrink in place. */
      readonly to: ArenaPage | null;
      readonly dontUnmap: boolean;
    }
  | { readonly op: 'brk'; readonly process: number; readonly pages: number }
  | {
      readonly op: 'splitFolio';
      readonly process: number;
      /** Whose folio is cut, if it is a large one. */
      readonly at: ArenaPage;
      readonly order: number;
      /** Only as far as this page needs. */
      readonly unequal: boolean;
    }
  | { readonly op: 'fill'; readonly process: number; readonly at: ArenaPage; readonly pattern: number }
  | {
      readonly op: 'uffdMove';
      readonly process: number;
      readonly to: ArenaPage;
      readonly from: ArenaPage;
      readonly pages: number;
    }
  | { readonly op: 'read' | 'write' | 'reclaim' | 'migrate' | 'startMigration'; readonly process: number; readonly at: ArenaPage }
  | {
      readonly op:
        | 'fork'
        | 'thread'
        | 'exec'
        | 'exit'
        | 'splitDeferred'
        | 'swapOff'
        | 'finishMigrations'
        | 'ksmScan'
        | 'khugepagedScan'
        | 'ksmUnmerge';
      readonly process: number;
    };

/** Every kind of operation. */
export const OPERATION_KINDS = [
  'mmap',
  'munmap',
  'mlock',
  'munlock',
  'mprotect',
  'madvise',
  'mremap',
  'brk',
  'read',
  'write',
  'fork',
  'thread',
  'exec',
  'exit',
  'splitFolio',
  'splitDeferred',
  'reclaim',
  'swapOff',
  'migrate',
  'startMigration',
  'finishMigrations',
  'uffdMove',
  'fill',
  'ksmScan',
  'ksmUnmerge',
  'khugepagedScan',
] as const satisfies readonly Operation['op'][];
