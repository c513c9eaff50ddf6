import { test } from 'vitest';
import { CannotObserve, Oracle } from '../src/index.js';

/** The running kernel, or why it can't be asked. */
async function oracleOrReason(): Promise<Oracle | string> {
  try {
    return await Oracle.start({ see: 'everything' });
  } catch (error) {
    if (error instanceof CannotObserve) return error.message;
    throw error;
  }
}

const found = await oracleOrReason();

/** Why the kernel can't be asked; null: it can. */
export const reason = typeof found === 'string' ? found : null;

/** Tests that take a kernel that can be observed; elsewhere they are skipped. */
export const observed = reason === null ? test : test.skip;

/** The oracle of all tests of a file. */
export const oracle = found as Oracle;
