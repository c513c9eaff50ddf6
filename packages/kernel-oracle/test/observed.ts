import { test } from 'vitest';
import { CannotObserve, compile, Driver, obstacle } from '../src/index.js';

/** A driver of real processes, or why there is none. */
async function driverOrReason(): Promise<Driver | string> {
  const reason = obstacle();
  if (reason !== null) return reason;
  try {
    return await Driver.start(await compile());
  } catch (error) {
    if (error instanceof CannotObserve) return error.message;
    throw error;
  }
}

const found = await driverOrReason();

/** Tests that take a kernel that can be observed; elsewhere they are skipped, and say why. */
export const observed = typeof found === 'string' ? test.skip : test;

/** The driver of all tests of a file. */
export const driver = found as Driver;
