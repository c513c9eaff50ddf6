import { type KernelInfo, kernelInfo } from '@rmap-lab/kernel-oracle';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { shown } from '../numbers.js';

export function addKernelInfo(program: Command): void {
  program
    .command('kernel-info')
    .description('sizes of the running kernel: its structs, and their slab caches')
    .option('--json', 'print one JSON document (rmap-lab/kernel-info@1)')
    .addHelpText('after', '\nSlab columns take root. Experiments count with these sizes with --layout running.')
    .action(({ json }: { json?: boolean }) => {
      const info = kernelInfo();
      process.stdout.write(json ? `${JSON.stringify({ schema: 'rmap-lab/kernel-info@1', ...info })}\n` : `${report(info)}\n`);
    });
}

function report({ release, machine, structs, missing }: KernelInfo): string {
  const table = new Table({
    head: ['struct', 'bytes', 'bytes in slab', 'objects per slab', 'pages per slab'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const cell = (n: number | null): string => (n === null ? '' : shown(n));
  for (const { name, bytes, slabBytes, objectsPerSlab, pagesPerSlab } of structs)
    table.push([name, ...[bytes, slabBytes, objectsPerSlab, pagesPerSlab].map(cell)]);
  return [`Linux ${release}, ${machine}`, table.toString(), ...missing.map((reason) => `missing: ${reason}`)].join('\n');
}
