import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { scenarioNamed, scenarios, UnknownScenario } from '@rmap-lab/explorer';
import { Campaign } from './explorer/campaign.js';
import { exhaustedTable, remarks } from './explorer/exhausted-table.js';

const STRATEGIES = [
  'anon-vma',
  'anon-vma-lazy:intended',
  'anon-vma-lazy:stated',
  'anon-vma-lazy:posted',
  'cow-context:reference',
  'cow-context:poc',
];

const USAGE = `usage: npm run -s explorer:exhaust -- [--file f] [--seconds n] [--strategies a,b] [--scenarios a,b] [--workers n]

Every scenario, every interleaving: what was found is kept in the file, and a second run goes on from there; with more seconds, it
tries again what took too long.

  --file f          default exhaust.jsonl
  --seconds n       for each scenario and engine: source-DPOR, then all states, then at most 2 preemptions; default 60
  --strategies a,b  default: ${STRATEGIES.join(', ')}
  --scenarios a,b   default: all ${scenarios.length}
  --workers n       default: one for each core`;

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${name} must be a positive number, not '${text}'`);
  return value;
}

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string', default: 'exhaust.jsonl' },
      seconds: { type: 'string', default: '60' },
      strategies: { type: 'string', default: STRATEGIES.join() },
      scenarios: { type: 'string', default: scenarios.map(({ name }) => name).join() },
      workers: { type: 'string', default: String(availableParallelism()) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const seconds = positive('seconds', values.seconds);
  const workers = Math.ceil(positive('workers', values.workers));
  const strategies = values.strategies.split(',');
  const unknown = strategies.filter((name) => !STRATEGIES.includes(name));
  if (unknown.length > 0) throw new RangeError(`no strategy '${unknown.join(', ')}'; there are: ${STRATEGIES.join(', ')}`);
  const names = values.scenarios.split(',').map((name) => scenarioNamed(name).name);
  const campaign = new Campaign(values.file);
  const pairs = strategies.flatMap((strategy) => names.map((scenario) => ({ scenario, strategy, seconds })));
  await campaign.run(pairs, workers, ({ strategy, scenario, bound, seconds: took, rule }) => {
    console.error(`${strategy} ${scenario}: ${rule === null ? bound : `breaks ${rule}`} (${took.toFixed(1)} s)`);
  });
  console.log(exhaustedTable(campaign.of(pairs), strategies));
  console.log(remarks(campaign.of(pairs)));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const input = error instanceof RangeError || error instanceof TypeError || error instanceof UnknownScenario;
  if (!(error instanceof Error && (input || 'syscall' in error))) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
