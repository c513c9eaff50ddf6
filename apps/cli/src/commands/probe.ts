import { messageOf } from '@rmap-lab/core';
import type { Command } from 'commander';
import { announce, print } from '../apart.js';
import { loadStrategy } from '../load-strategy.js';

/** What `probe` of ../probe.ts runs in a process of its own. */
export function addProbe(program: Command): void {
  program
    .command('probe <strategy>', { hidden: true })
    .description('load a strategy and print what it is; for processes of this command')
    .action(async (name: string) => print(JSON.stringify(await probed(name))));
}

async function probed(name: string): Promise<object> {
  try {
    const { strategy } = await loadStrategy(name);
    announce(name, 'after it was loaded');
    return { strategy: strategy.name, contract: strategy.contract };
  } catch (error) {
    return { error: messageOf(error) };
  }
}
