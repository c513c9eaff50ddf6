import type { Layout } from '@rmap-lab/core';
import { kernelInfo, runningLayout } from '@rmap-lab/kernel-oracle';
import { Option } from 'commander';

/** Whose object sizes the accounts use. */
export type LayoutName = 'linux-6.18' | 'running';

export const layoutOption = (): Option =>
  new Option('--layout <name>', 'whose object sizes: those of x86-64 Linux 6.18, or of the running kernel')
    .choices(['linux-6.18', 'running'] satisfies LayoutName[])
    .default('linux-6.18');

/** The sizes to count with; undefined: the default. What root alone may see is noted on standard error. @throws CannotObserve */
export function layoutOf(name: LayoutName): Layout | undefined {
  if (name === 'linux-6.18') return undefined;
  const info = kernelInfo();
  const layout = runningLayout(info);
  for (const reason of info.missing) process.stderr.write(`rmap-lab: --layout running goes without ${reason}\n`);
  return layout;
}
