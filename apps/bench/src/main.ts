import { parseArgs } from 'node:util';
import { StrategyLoadError } from '@rmap-lab/core';
import { watched } from './progress.js';
import type { Row } from './row.js';
import { select } from './rows.js';
import { STRATEGY_HELP, strategiesNamed } from './strategies.js';
import { sideBySide, table } from './table.js';

const USAGE = `usage: npm run -s bench -- [--strategy NAME]... [--rows a,b] [--quick] [--json]

  ${STRATEGY_HELP}:
                   every row in which a machine runs, with a column for each
  --rows a,b       only these rows
  --quick          small sizes and few rounds: shows that it works, not how fast it is
  --json           one document instead of a table`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      strategy: { type: 'string', multiple: true },
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
  const strategies = await strategiesNamed(values.strategy ?? ['anon-vma']);
  const selected = select(values.rows?.split(',') ?? [], values.strategy !== undefined);
  const rows: Row[] = [];
  for (const bench of selected)
    rows.push(...(await watched(bench.id, (onRound) => bench.run(values.quick, strategies, onRound))));
  if (values.json) console.log(JSON.stringify({ schema: 'rmap-lab/bench@1', quick: values.quick, rows }));
  else console.log(strategies.size > 1 ? sideBySide(rows, [...strategies.keys()]) : table(rows));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof RangeError || error instanceof TypeError;
  if (!usage && !(error instanceof StrategyLoadError)) throw error;
  console.error(usage ? `${error.message}\n\n${USAGE}` : error.message);
  process.exitCode = 2;
}
