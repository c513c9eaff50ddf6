import type { Errno } from '@rmap-lab/core';
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

/** Advice that is left out: REMOVE, which the model does not know; PAGEOUT and COLLAPSE, which do more or less by the state of the machine. */
const LEFT_OUT_ADVICE = new Set([9, 21, 25]);

/** The call of a trace that a system call is; null: none. */
export function recordedCall(name: string): CallName | null {
  if (Object.hasOwn(CALLS, name)) return name as CallName;
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : null;
}

/** Whether a call belongs into a trace. */
export function matters(call: CallName, args: readonly number[]): boolean {
  return call !== 'madvise' || !LEFT_OUT_ADVICE.has(args[2]);
}
