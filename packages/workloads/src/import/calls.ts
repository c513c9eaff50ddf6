import { type Errno, MREMAP_DONTUNMAP, MREMAP_FIXED, TASK_SIZE } from '@rmap-lab/core';
import { canHold } from '../decode.js';
import { CALLS, type CallName } from '../format.js';

/** Refusals that a trace can hold, by number; other refusals changed nothing and are left out. */
export const ERRNOS: Readonly<Record<number, Errno>> = {
  1: 'EPERM',
  3: 'ESRCH',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  22: 'EINVAL',
  75: 'EOVERFLOW',
};

/** Calls that do, for the model, the same as an older one. */
const ALIASES: Readonly<Record<string, CallName>> = { pkey_mprotect: 'mprotect', mlock2: 'mlock' };

const MAP_HUGETLB = 0x40000;

/** Advice that is left out: REMOVE, which the model does not know; PAGEOUT and COLLAPSE, which do more or less by the state of the machine. */
const LEFT_OUT_ADVICE = new Set([9, 21, 25]);

/** The call of a trace that a system call is; null: none. `onFault`: by MLOCK_ONFAULT it brings no page in, where the model's mlock brings in all. */
export function recordedCall(name: string, onFault = false): CallName | null {
  if (name === 'mlock2' && onFault) return null;
  if (Object.hasOwn(CALLS, name)) return name as CallName;
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : null;
}

/** The arguments of a call as a trace holds them; null: the call does not belong into one. */
export function heldArguments(call: CallName, args: readonly number[], granted: boolean): readonly number[] | null {
  if (call === 'madvise' && LEFT_OUT_ADVICE.has(args[2])) return null;
  const held = [...args];
  // Where it is not looked at, a register holds anything.
  if (call === 'mremap' && (args[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP)) === 0) held[4] = 0;
  // A wish for a place beyond the address space is none.
  if (call === 'mmap' && granted && (args[0] < 0 || args[0] >= TASK_SIZE)) held[0] = 0;
  // What was mapped are whole huge pages, of the default size where none is asked for.
  if (call === 'mmap' && granted && (args[3] & MAP_HUGETLB) !== 0) {
    const hugePage = 2 ** ((args[3] >>> 26) & 63 || 21);
    held[1] = Math.ceil(args[1] / hugePage) * hugePage;
  }
  // What is beyond all limits was refused, or was about no memory at all: it changed nothing.
  return canHold(call, held) ? held : null;
}
