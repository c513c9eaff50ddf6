import { readFileSync } from 'node:fs';
import { Oracle } from '@rmap-lab/kernel-oracle';

const swapIsOn = (): boolean => readFileSync('/proc/swaps', 'utf8').trim().split('\n').length > 1;

/**
 * Runs `work` where there is swap: if none is in use, on compressed memory for as long as that takes, alone on this machine among
 * those who change its settings. @throws CannotObserve without swap, when it can't be had
 */
export async function withSwap<T>(work: () => T): Promise<T> {
  if (swapIsOn()) return work();
  const oracle = await Oracle.start({ see: 'everything' });
  try {
    return await oracle.system.with({ orders: [9], swap: true }, () => Promise.resolve(work()));
  } finally {
    await oracle.stop();
  }
}
