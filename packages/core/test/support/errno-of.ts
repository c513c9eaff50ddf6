import { KernelError } from '../../src/index.js';

/** What a call answers: its errno, or 'ok'. */
export function errnoOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof KernelError) return error.errno;
    throw error;
  }
  return 'ok';
}
