import { parseArgs } from 'node:util';
import { rows } from './explorer/rows.js';
import { watched } from './progress.js';
import type { Row } from './row.js';
import { table } from './table.js';

const USAGE = `usage: npm run -s bench:explorer -- [--rows a,b] [--quick] [--json]

  --rows a,b  only these rows
  --quick     one round each: shows that it works, not how fast it is
  --json      one document instead of a table`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
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
  const wanted = values.rows?.split(',') ?? rows.map(({ id }) => id);
  const unknown = wanted.filter((id) => !rows.some((row) => row.id === id));
  if (unknown.length > 0)
    throw new RangeError(`no row '${unknown.join(', ')}'; there are: ${rows.map(({ id }) => id).join(', ')}`);
  const results: Row[] = [];
  for (const row of rows.filter(({ id }) => wanted.includes(id)))
    results.push(await watched(row.id, (onRound) => row.run(values.quick, onRound)));
  console.log(
    values.json ? JSON.stringify({ schema: 'rmap-lab/bench-explorer@1', quick: values.quick, rows: results }) : table(results),
  );
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
