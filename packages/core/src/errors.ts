import { Refusal } from './refusal.js';
import type { Address } from './units.js';

/** What was thrown, in words. A strategy may throw anything, also what can't be made a text. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'something without a text';
  }
}

/** What a system call of the model answers when it refuses: the kernel's own names. */
export type Errno =
  | 'ENOENT'
  | 'EAGAIN'
  | 'EBUSY'
  | 'EEXIST'
  | 'EFAULT'
  | 'EINVAL'
  | 'ENOMEM'
  | 'EOVERFLOW'
  | 'EPERM'
  | 'ESRCH'
  | 'EACCES';

/** The kernel refuses an operation. The state is what the kernel leaves behind, usually untouched. */
export class KernelError extends Refusal {
  override readonly name: string = 'KernelError';
  constructor(
    readonly errno: Errno,
    readonly operation: string,
    reason: string | (() => string),
  ) {
    super((text) => `${operation}: ${errno}: ${text}`, reason);
  }
}

/** Memory ran out: a full slab, no free frame, or the failure plan (`failAllocation`). */
export class NoMemory extends KernelError {
  override readonly name = 'NoMemory';
  constructor(site: string) {
    super('ENOMEM', site, 'no memory left; the machine is full or the failure plan said so');
  }
}

/** A touch that the kernel answers with a signal. */
export class SegmentationFault extends Refusal {
  override readonly name = 'SegmentationFault';
  constructor(
    readonly signal: 'SIGSEGV' | 'SIGBUS',
    readonly access: 'read' | 'write',
    readonly address: Address,
    reason: string | (() => string),
  ) {
    super((text) => `${access} at 0x${address.toString(16)}: ${signal}: ${text}`, reason);
  }
}

/** What somebody gave (a file, a name, a strategy) can't be used. The message says what it is, where, and why, and what can be done. */
export abstract class InputError extends Error {}

/** A trace that can't be read or replayed: which file, which record, and why. */
export class TraceError extends InputError {
  override readonly name = 'TraceError';
  constructor(
    readonly file: string,
    readonly record: number,
    readonly reason: string,
  ) {
    super(`${file}: record ${record}: ${reason}`);
  }
}

/** A strategy (or core itself) broke a rule of the contract. */
export class ContractViolation extends Error {
  override readonly name: string = 'ContractViolation';
  constructor(
    /** Id of the broken rule, such as `R17`. */
    readonly rule: string,
    /** The hook or check in which it showed. */
    readonly hook: string,
    /** The operation under way. */
    readonly operation: string,
    readonly detail: string,
  ) {
    super(`${rule} broken in ${hook} during ${operation}: ${detail}`);
  }
}

/** R31: an object was used after it had been freed. */
export class UseAfterFree extends ContractViolation {
  override readonly name = 'UseAfterFree';
  constructor(object: string, detail: string) {
    super('R31', object, 'access', detail);
  }
}

/** A lock was waited for in sequential mode, where nobody else can release it. */
export class SelfDeadlock extends ContractViolation {
  override readonly name = 'SelfDeadlock';
  constructor(lock: string, detail: string) {
    super('R28', lock, 'lock', detail);
  }
}

/** Threads wait for each other and none can go on. */
export class Deadlock extends ContractViolation {
  override readonly name = 'Deadlock';
  constructor(detail: string) {
    super('R28', 'locks', 'interleaving', detail);
  }
}

/** R16, R30: something that may sleep was called under a spinlock or inside an RCU section. */
export class SleepWhileAtomic extends ContractViolation {
  override readonly name = 'SleepWhileAtomic';
  constructor(what: string, detail: string, rule: 'R16' | 'R30' = 'R16') {
    super(rule, what, 'sleep', detail);
  }
}

/** R15: objects, references, locks or holds are left when none may be. */
export class Leak extends ContractViolation {
  override readonly name = 'Leak';
  constructor(what: string, detail: string) {
    super('R15', what, 'last exit', detail);
  }
}

/** A strategy said beforehand that it can't take part in this; nothing was done. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
  constructor(
    readonly feature: string,
    readonly reason: string,
  ) {
    super(`the strategy does not support ${feature}: ${reason}`);
  }
}

/** A strategy package that is missing or does not fit this core. */
export class StrategyLoadError extends InputError {
  override readonly name = 'StrategyLoadError';
  constructor(strategy: string, found: string, expected: string) {
    super(`strategy '${strategy}': found ${found}, expected ${expected}`);
  }
}
