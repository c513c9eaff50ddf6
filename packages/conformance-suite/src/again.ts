import { PREEMPTIONS, SEED } from './defaults.js';
import type { ConformanceOptions } from './run.js';

/** A word as shells take it: in quotes where they would read more into it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** The command that runs a strategy with the same settings again, but for which cases. */
export function again(
  command: string,
  strategy: string,
  { seed = SEED, preemptions = PREEMPTIONS }: Pick<ConformanceOptions, 'seed' | 'preemptions'>,
): string {
  const most = preemptions === Number.POSITIVE_INFINITY ? 'all' : preemptions;
  const settings = [seed !== SEED && `--seed ${seed}`, most !== PREEMPTIONS && `--preemptions ${most}`];
  return [command, quoted(strategy), ...settings.filter(Boolean)].join(' ');
}
