import { parseArgs } from 'node:util';
import { select } from './rows.js';
import { table } from './table.js';

const USAGE = `usage: npm run -s bench -- [--rows a,b] [--quick] [--json]

  --rows a,b  only these rows
  --quick     small sizes and few rounds: shows that it works, not how fast it is
  --json      one document instead of a table`;

function main(args: string[]): void {
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
  const benches = select(values.rows?.split(',') ?? []);
  const rows = benches.map((bench) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${bench.id}`);
    return bench.run(values.quick);
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(values.json ? JSON.stringify({ schema: 'rmap-lab/bench@1', quick: values.quick, rows }) : table(rows));
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
