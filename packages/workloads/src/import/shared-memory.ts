import { MAP_FIXED, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from '@rmap-lab/core';
import type { CallName } from '../format.js';
import type { FileTable } from './files.js';

/** Flags of shmat(2), with Linux's values. */
const SHM_RDONLY = 0o10000;
const SHM_REMAP = 0o40000;
const SHM_EXEC = 0o100000;

/** A call of a trace, with its arguments. */
type Stands = readonly [call: CallName, args: readonly number[]];

/** System V shared memory: each segment is a file, and what attaches or detaches it maps or unmaps that. */
export class SharedMemory {
  /** Bytes of each segment that the recording saw somebody ask for. */
  private readonly sizes = new Map<number, number>();

  /**
   * What a call that succeeded stands for; null: nothing. `attached`: bytes of the caller's segments by address. A segment that was there before
   * the recording, and that nobody asked for with its size, is unknown.
   */
  called(name: string, args: readonly number[], result: number, attached: Map<number, number>, files: FileTable): Stands | null {
    if (name === 'shmget') this.sizes.set(result, Math.max(args[1], this.sizes.get(result) ?? 0));
    else if (name === 'shmat') {
      const [id, , how] = args;
      const size = this.sizes.get(id) ?? 0;
      if (size === 0) return null;
      attached.set(result, size);
      const prot = PROT_READ | ((how & SHM_RDONLY) === 0 ? PROT_WRITE : 0) | ((how & SHM_EXEC) === 0 ? 0 : PROT_EXEC);
      const flags = MAP_SHARED | ((how & SHM_REMAP) === 0 ? 0 : MAP_FIXED);
      return ['mmap', [result, size, prot, flags, files.ofPath(`/segment ${id}`), 0]];
    } else if (name === 'shmdt') {
      const size = attached.get(args[0]);
      attached.delete(args[0]);
      if (size !== undefined) return ['munmap', [args[0], size]];
    }
    return null;
  }
}
