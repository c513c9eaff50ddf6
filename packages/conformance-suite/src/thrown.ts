import {
  ContractViolation,
  isOp,
  KernelError,
  messageOf,
  NoMemory,
  type Op,
  type Rmap,
  SegmentationFault,
  Unsupported,
} from '@rmap-lab/core';
import { CaseFailure } from './case.js';

/** Hooks that the contract lets run out of memory. */
export const MAY_FAIL: ReadonlySet<string> = new Set([
  'mmInit',
  'forkMm',
  'prepare',
  'fork',
  'clone',
  'adjust',
  'move',
  'reserve',
]);

/** R3: nothing but NoMemory, and only from hooks that may run out of it. What else is an answer to the caller would pass for the kernel's. */
export function watchThrown(rmap: Rmap, mayFail: ReadonlySet<string>): void {
  const hooks = rmap as unknown as Record<string, (...args: unknown[]) => unknown>;
  for (const [name, hook] of Object.entries(hooks)) {
    const complain = (error: unknown): never => {
      if (error instanceof NoMemory && mayFail.has(name)) throw error;
      if (PASSED_ON.some((kind) => error instanceof kind)) throw error;
      throw new ContractViolation('R3', name, 'a call of the contract', complaint(name, error));
    };
    hooks[name] = (...args) => {
      try {
        const answer = hook(...args);
        return isOp(answer) ? guarded(answer, complain) : answer;
      } catch (error) {
        return complain(error);
      }
    };
  }
}

/** What core or a case says through the strategy. */
const PASSED_ON = [ContractViolation, Unsupported, CaseFailure] as const;

function complaint(hook: string, error: unknown): string {
  if (error instanceof NoMemory)
    return `it runs out of memory, ${MAY_FAIL.has(hook) ? 'and there is plenty' : 'which it must not'}`;
  if (error instanceof KernelError) return `it answers ${error.errno}`;
  if (error instanceof SegmentationFault) return `it answers ${error.signal}`;
  const [text] = messageOf(error).split('\n');
  if (!(error instanceof Error)) return `it throws ${text}`;
  return `it throws ${kindAndPlace(error, text)}`;
}

/** An error may be anything but what it should be, too. */
function kindAndPlace(error: Error, text: string): string {
  try {
    return `${error.name}: ${text}${placeOf(error)}`;
  } catch {
    return text;
  }
}

/** Where it was thrown; of what core throws, from where core was called. */
function placeOf({ stack }: Error): string {
  const frames = String(stack).match(/(?<=^ +)at .*$/gm) ?? [];
  const place = frames.find((frame) => !/[\\/]core[\\/](src|dist)[\\/]/.test(frame)) ?? frames[0];
  return place === undefined ? '' : `, ${place}`;
}

function* guarded<T>(op: Op<T>, complain: (error: unknown) => never): Op<T> {
  try {
    return yield* op;
  } catch (error) {
    return complain(error);
  }
}
