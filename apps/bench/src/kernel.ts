import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { StrategyLoadError } from '@rmap-lab/core';
import { CannotObserve } from '@rmap-lab/kernel-oracle';
import { contest, type KernelRow } from './kernel/contest.js';
import { kinds } from './kernel/kinds.js';
import { realKernel } from './kernel/real.js';
import { withSwap } from './kernel/swap.js';
import { kernelTable } from './kernel/table.js';
import { STRATEGY_HELP, strategiesNamed } from './strategies.js';

const USAGE = `usage: npm run -s bench:kernel -- [--strategy NAME]... [--rows a,b] [--quick] [--json]

  ${STRATEGY_HELP}
  --rows a,b       only these rows
  --quick          small lists and few rounds: shows that it works, not how fast it is
  --json           one document instead of a table`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      strategy: { type: 'string', multiple: true, default: ['anon-vma'] },
      rows: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const wanted = values.rows?.split(',') ?? kinds.map(({ id }) => id);
  const unknown = wanted.filter((id) => !kinds.some((kind) => kind.id === id));
  if (unknown.length > 0)
    throw new RangeError(`no row '${unknown.join(', ')}'; there are: ${kinds.map(({ id }) => id).join(', ')}`);
  const strategies = await strategiesNamed(values.strategy);
  const real = await realKernel();
  const rounds = values.quick ? 3 : 15;
  const rows: KernelRow[] = [];
  const missing: { id: string; reason: string }[] = [];
  for (const kind of kinds.filter(({ id }) => wanted.includes(id))) {
    const measure = (): KernelRow => contest(kind, real, strategies, { quick: values.quick, rounds });
    try {
      rows.push(kind.swaps ? await withSwap(measure) : measure());
    } catch (error) {
      if (!kind.swaps || !(error instanceof CannotObserve)) throw error;
      missing.push({ id: kind.id, reason: `no swap is on, and none can be made: ${error.message}` });
    }
  }
  const document = { schema: 'rmap-lab/bench-kernel@1', release: release(), quick: values.quick, rounds, rows, missing };
  console.log(values.json ? JSON.stringify(document) : kernelTable(document));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof RangeError || error instanceof TypeError;
  if (!usage && !(error instanceof CannotObserve || error instanceof StrategyLoadError)) throw error;
  console.error(usage ? `${error.message}\n\n${USAGE}` : error.message);
  process.exitCode = 2;
}
