import { workloads } from '@rmap-lab/workloads';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { shown } from '../numbers.js';

export function addWorkloads(program: Command): void {
  program
    .command('workloads')
    .description('list the workloads that come with rmap-lab')
    .option('--json', 'print a JSON array of {name, kind, operations, bytes}')
    .action(async ({ json }: { json?: boolean }) => {
      const all = await workloads();
      if (json) {
        process.stdout.write(`${JSON.stringify(all)}\n`);
        return;
      }
      const table = new Table({ head: ['name', 'kind', 'operations', 'bytes'], style: { head: [], border: [], compact: true } });
      for (const { name, kind, operations, bytes } of all) {
        table.push([name, kind, shown(operations), bytes === 0 ? '' : shown(bytes)]);
      }
      process.stdout.write(`${table.toString()}\n`);
    });
}
