import type { Errno } from '@rmap-lab/core';

/** Name of the format, in every trace's first line. */
export const FORMAT = 'rmap-lab-trace';
/** Version that this package reads and writes. */
export const VERSION = 1;

/** The first record: what was recorded, how, and with which settings. */
export interface Header {
  readonly type: 'header';
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Bytes in a page. */
  readonly pageSize: number;
  /** Where the trace comes from: the recorder or importer, and the command. */
  readonly source: string;
  /** Settings that matter to a replay, such as `kernel` (release) and `thp`. */
  readonly options: Readonly<Record<string, string>>;
}

/** A new process. Threads and vfork children share their parent's address space until they exec. */
export interface ProcessRecord {
  readonly type: 'process';
  readonly process: number;
  /** null for a process that was there from the start. */
  readonly parent: number | null;
  readonly kind: 'spawn' | 'fork' | 'vfork' | 'thread';
}

/** One mapping that exec made, as `/proc/PID/maps` shows it. */
export interface LayoutEntry {
  readonly start: number;
  readonly end: number;
  /** `PROT_*` */
  readonly prot: number;
  readonly shared: boolean;
  readonly kind: 'file' | 'anonymous' | 'stack' | 'heap' | 'special';
  /** A file's id, with kind `file`; else null. */
  readonly file: number | null;
  /** Offset in the file, in bytes. */
  readonly offset: number;
}

/** A process starts another program: its address space is then what `layout` says. */
export interface ExecRecord {
  readonly type: 'exec';
  readonly process: number;
  /** End of the heap right after exec, in bytes; null when unknown. */
  readonly brk: number | null;
  readonly layout: readonly LayoutEntry[];
}

/** A process (or thread) ends. */
export interface ExitRecord {
  readonly type: 'exit';
  readonly process: number;
}

/** System calls that traces hold, with the names of their arguments in order; all are numbers. */
export const CALLS = {
  /** `file` is -1 for anonymous memory. */
  mmap: ['address', 'length', 'prot', 'flags', 'file', 'offset'],
  munmap: ['address', 'length'],
  mprotect: ['address', 'length', 'prot'],
  mremap: ['address', 'oldLength', 'newLength', 'flags', 'to'],
  madvise: ['address', 'length', 'advice'],
  mlock: ['address', 'length'],
  munlock: ['address', 'length'],
  brk: ['address'],
} as const;

/** Name of a system call that traces hold. */
export type CallName = keyof typeof CALLS;

/** A system call and what the recorded kernel answered. */
export interface CallRecord {
  readonly type: 'call';
  readonly process: number;
  readonly call: CallName;
  readonly args: readonly number[];
  /** An address or 0; or why it was refused. */
  readonly result: number | Errno;
}

/** Touches of `count` pages: `first`, `first + stride`, ... */
export interface TouchRecord {
  readonly type: 'touch';
  readonly process: number;
  /** Page number: address divided by the page size. */
  readonly first: number;
  readonly count: number;
  readonly stride: number;
  readonly write: boolean;
}

/** A file that later mappings name by its id. */
export interface FileRecord {
  readonly type: 'file';
  readonly file: number;
  /** Base name. */
  readonly name: string;
  /** Bytes; null when unknown. */
  readonly size: number | null;
}

/** Something the kernel does by itself, to a range of pages of a process. */
export interface KernelRecord {
  readonly type: 'kernel';
  readonly action: 'reclaim' | 'migrate' | 'ksm-merge' | 'collapse' | 'split' | 'swap-in' | 'memory-failure';
  readonly process: number;
  readonly first: number;
  readonly pages: number;
}

/** A named point at which an experiment measures. */
export interface MarkRecord {
  readonly type: 'mark';
  readonly name: string;
}

/** The last record: how many records of each type came between header and end, and a checksum over all lines before it. */
export interface EndRecord {
  readonly type: 'end';
  readonly counts: Readonly<Record<string, number>>;
  readonly checksum: string;
}

/** What comes between header and end. */
export type BodyRecord =
  | ProcessRecord
  | ExecRecord
  | ExitRecord
  | CallRecord
  | TouchRecord
  | FileRecord
  | KernelRecord
  | MarkRecord;

/** Any record. */
export type TraceRecord = Header | BodyRecord | EndRecord;
