import {
  type Address,
  type Errno,
  KernelError,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  MAP_SHARED,
  MREMAP_DONTUNMAP,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
  type Process,
} from '@rmap-lab/core';
import type { CallName, CallRecord } from '../format.js';
import { hex, Mismatch } from './mismatch.js';
import type { World } from './world.js';

/**
 * Refusals that rest on what the model does not have: files' open modes and mounts, seals, resource limits, overcommit, and
 * kernels without an advice. Such a call changed nothing, and is not asked of the model, which might grant it.
 */
const OUTSIDE: Readonly<Partial<Record<CallName, readonly Errno[]>>> = {
  mmap: ['EACCES', 'EPERM', 'EAGAIN', 'ENOMEM'],
  mprotect: ['EACCES', 'EPERM'],
  mremap: ['EAGAIN', 'EPERM'],
  madvise: ['EINVAL', 'EACCES', 'EPERM', 'EBUSY', 'EAGAIN'],
  mlock: ['EPERM', 'EAGAIN', 'ENOMEM'],
};

const SHARED_VALIDATE = MAP_SHARED | MAP_PRIVATE;

/** Does a recorded call, and wants the recorded answer. @throws Mismatch */
export function replayCall(world: World, record: CallRecord): void {
  const { call, result } = record;
  const process = world.process(record.process);
  if (typeof result === 'number') {
    const answer = granted(world, process, record, result);
    if (answer !== result) throw new Mismatch(`${call} answers ${hex(answer)}, recorded was ${hex(result)}`);
  } else if (!isOutside(record, result)) refused(world, process, record, result);
}

function isOutside({ call, args }: CallRecord, errno: Errno): boolean {
  if (OUTSIDE[call]?.includes(errno)) return true;
  // Devices map as they like.
  if (call === 'mmap') return errno === 'EINVAL' && args[4] !== -1;
  // What may move finds a place, so that a limit was in the way.
  return call === 'mremap' && errno === 'ENOMEM' && (args[3] & MREMAP_MAYMOVE) !== 0;
}

/** A call that succeeded, steered to where it ended up. @throws Mismatch */
function granted(world: World, process: Process, { call, args }: CallRecord, result: number): number {
  try {
    if (call === 'mmap') return mapAt(world, process, args, result);
    if (call === 'mremap') return mremap(process, settled(args, result));
    // A heap that was not let grow stays where it is; why may lie outside as well.
    if (call === 'brk' && result < args[0]) return process.brk(0 as Address);
    return asRecorded(world, process, call, args);
  } catch (error) {
    if (error instanceof KernelError) throw new Mismatch(`recorded was ${hex(result)}, the model refuses: ${error.message}`);
    throw error;
  }
}

/** A call that was refused, as it was asked. @throws Mismatch */
function refused(world: World, process: Process, { call, args }: CallRecord, errno: Errno): void {
  let answer: number;
  try {
    answer = asRecorded(world, process, call, args);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (error.errno === errno) return;
    throw new Mismatch(`${call} was refused with ${errno}, the model says ${error.message}`);
  }
  throw new Mismatch(`${call} was refused with ${errno}, the model answers ${hex(answer)}`);
}

/**
 * mmap at `result`. Where the kernel chose the place it was free, so it must be free in the model: that is how an unmapping which
 * the trace lacks shows. What is in the way goes all the same, so that later records fit. @throws Mismatch, KernelError
 */
function mapAt(world: World, process: Process, args: readonly number[], result: number): number {
  const [, length, prot, flags, file, offset] = args;
  const place = (how: number): number => mmap(world, process, [result, length, prot, how, file, offset]);
  if ((flags & MAP_FIXED) !== 0) return place(flags);
  try {
    return place(flags | MAP_FIXED_NOREPLACE);
  } catch (error) {
    if (!(error instanceof KernelError) || error.errno !== 'EEXIST') throw error;
    place((flags & ~MAP_FIXED_NOREPLACE) | MAP_FIXED);
    throw new Mismatch(`recorded was ${hex(result)}, which was not free: ${error.message}`);
  }
}

/** mremap's arguments, to `result`: there if it moved, else where it is. */
function settled([at, oldLength, newLength, flags]: readonly number[], result: number): readonly number[] {
  if (result !== at) return [at, oldLength, newLength, flags | MREMAP_MAYMOVE | MREMAP_FIXED, result];
  const stays = (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) === 0;
  return [at, oldLength, newLength, stays ? flags & ~MREMAP_MAYMOVE : flags, result];
}

function asRecorded(world: World, process: Process, call: CallName, args: readonly number[]): number {
  const at = args[0] as Address;
  switch (call) {
    case 'mmap':
      return mmap(world, process, args);
    case 'mremap':
      return mremap(process, args);
    case 'brk':
      return process.brk(at);
    case 'mprotect':
    case 'madvise':
      process[call](at, args[1], args[2]);
      return 0;
    default:
      process[call](at, args[1]);
      return 0;
  }
}

function mmap(world: World, process: Process, [at, length, prot, flags, file, offset]: readonly number[]): number {
  const anonymous = file === -1 || (flags & MAP_ANONYMOUS) !== 0;
  return process.mmap(length, {
    at: at as Address,
    prot,
    // MAP_SHARED_VALIDATE is MAP_SHARED that checked its flags.
    flags: (flags & SHARED_VALIDATE) === SHARED_VALIDATE ? flags & ~MAP_PRIVATE : flags,
    ...(!anonymous && { file: world.file(file), offset }),
  });
}

const mremap = (process: Process, [at, oldLength, newLength, flags, to]: readonly number[]): number =>
  process.mremap(at as Address, oldLength, newLength, { flags, to: to as Address });
