import { parseArgs } from 'node:util';
import type { RmapStrategy } from '@rmap-lab/core';
import { anonVma } from '@rmap-lab/strategy-anon-vma';
import { anonVmaLazy } from '@rmap-lab/strategy-anon-vma-lazy';
import { cowContext } from '@rmap-lab/strategy-cow-context';
import { Campaign, summary } from './explorer/campaign.js';

const STRATEGIES: Readonly<Record<string, () => RmapStrategy>> = {
  'anon-vma': () => anonVma(),
  'anon-vma-lazy:intended': () => anonVmaLazy('intended'),
  'anon-vma-lazy:stated': () => anonVmaLazy('stated'),
  'anon-vma-lazy:posted': () => anonVmaLazy('posted'),
  'cow-context:reference': () => cowContext('reference'),
  'cow-context:poc': () => cowContext('poc'),
};

const USAGE = `usage: npm run -s explorer:exhaust -- [--file f] [--seconds n] [--strategies a,b]

Every scenario, every interleaving: what was found is kept in the file, and a second run goes on from there.

  --file f          default exhaust.jsonl
  --seconds n       for each scenario and engine: source-DPOR, then all states, then at most 2 preemptions; default 60
  --strategies a,b  default: ${Object.keys(STRATEGIES).join(', ')}`;

function main(args: string[]): void {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string', default: 'exhaust.jsonl' },
      seconds: { type: 'string', default: '60' },
      strategies: { type: 'string', default: Object.keys(STRATEGIES).join() },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new RangeError(`--seconds must be a positive number, not '${values.seconds}'`);
  const names = values.strategies.split(',');
  const unknown = names.filter((name) => !Object.hasOwn(STRATEGIES, name));
  if (unknown.length > 0)
    throw new RangeError(`no strategy '${unknown.join(', ')}'; there are: ${Object.keys(STRATEGIES).join(', ')}`);
  const campaign = new Campaign(values.file);
  for (const name of names) {
    campaign.run(name, STRATEGIES[name](), seconds, ({ scenario, bound, seconds: took, rule }) => {
      console.error(`${name} ${scenario}: ${rule === null ? bound : `breaks ${rule}`} (${took.toFixed(1)} s)`);
    });
    console.log(summary(campaign.results, name));
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
}
