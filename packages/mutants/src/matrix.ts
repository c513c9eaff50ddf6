/** `npm run -s mutants`: every case of the conformance suite on every mutant. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { JsonLines } from '@rmap-lab/plumbing';
import { MatrixProcess } from './matrix-process.js';
import { isSame, type Job, joined, keptOf, killedBy, markdown, ORDER, PARTS, type Row } from './matrix-report.js';
import { mutants } from './mutants.js';

const USAGE = `usage: npm run -s mutants -- [--file f] [--workers n] [--seconds n] [--grep text] [--report] [--json] [--keep]

Every case of the conformance suite on every mutant, with at most 2 preemptions. What is found is added to the file mutant by
mutant, and a second run goes on from there: remove the file when cases, strategies or mutants have changed.

  --file f     default mutants.jsonl
  --workers n  processes at a time; default 2
  --seconds n  longest time of one case; default 60
  --grep text  runs only mutants whose id contains this
  --report     runs nothing, and tells of what the file has
  --json       the whole matrix, instead of Markdown
  --keep       writes packages/mutants/kills.json anew, which the tests check and docs/mutants.md shows`;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      file: { type: 'string', default: 'mutants.jsonl' },
      workers: { type: 'string', default: '2' },
      seconds: { type: 'string', default: '60' },
      grep: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const [workers, seconds] = [values.workers, values.seconds].map(Number);
  if (!(Number.isInteger(workers) && workers > 0)) throw new RangeError(`--workers must be 1 or more, not '${values.workers}'`);
  if (!(seconds > 0)) throw new RangeError(`--seconds must be a positive number, not '${values.seconds}'`);

  const kept = rowsIn(values.file);
  const rows = [...kept.rows];
  const waiting = mutants
    .flatMap(({ id }) => ORDER.map((part): Job => ({ mutant: id, part })))
    .filter((job) => job.mutant.includes(values.grep) && !rows.some((row) => isSame(row, job)));
  const total = rows.length + waiting.length;
  const work = async (): Promise<void> => {
    const runner = new MatrixProcess(seconds);
    for (let job = next(waiting, rows); job !== undefined; job = next(waiting, rows)) {
      const row = await attack(runner, job);
      rows.push(row);
      kept.add(row);
      const stuck = row.stuck.length === 0 ? '' : `, ${row.stuck.join(', ')} not ended`;
      process.stderr.write(
        `${rows.length} of ${total} ${job.mutant} ${job.part}: ${row.kills.length} kills${stuck} (${row.seconds.toFixed(1)} s)\n`,
      );
    }
    runner.stop();
  };
  if (!values.report) {
    kept.open();
    await Promise.all(Array.from({ length: workers }, work));
    kept.close();
  }

  const found = mutants.map(({ id }) => joined(id, rows));
  const killed = killedBy(found);
  if (values.keep)
    writeFileSync(new URL('../kills.json', import.meta.url), `${JSON.stringify(keptOf(found, killed), null, 2)}\n`);
  const report = values.json ? JSON.stringify({ mutants: found, cases: killed }) : markdown(found, killed);
  process.stdout.write(`${report}\n`);
}

/** What tells most first: the short part on every mutant, then the others on those that nothing kills yet. */
function next(waiting: Job[], rows: readonly Row[]): Job | undefined {
  const killed = new Set(rows.filter(({ kills }) => kills.length > 0).map(({ mutant }) => mutant));
  const rank = ({ mutant, part }: Job): number => (part === 'alone' ? 0 : killed.has(mutant) ? 2 : 1);
  const best = Math.min(...waiting.map(rank));
  const at = waiting.findIndex((job) => rank(job) === best);
  return at < 0 ? undefined : waiting.splice(at, 1)[0];
}

/** What the file of a campaign has; it stays as it is. @throws RangeError */
function rowsIn(file: string): JsonLines<Row> {
  const kept = new JsonLines<Row>(file, {
    beginning: () => '{"mutant":"',
    isRow: ({ mutant, part, kills }) => typeof mutant === 'string' && Object.hasOwn(PARTS, part) && Array.isArray(kills),
    refusal: (line, text) =>
      new RangeError(`${file}:${line} is no row of a matrix; remove the line, or name another file: ${text.slice(0, 200)}`),
    busy: (how) => new RangeError(`${file}: ${how}; wait for it, or name another file`),
  });
  const fits = ({ mutant, part, kills }: Row): boolean =>
    mutants.some(({ id }) => id === mutant) && kills.every((kill) => PARTS[part].some(({ id }) => id === kill));
  const other = kept.rows.find((row) => !fits(row));
  if (other === undefined) return kept;
  throw new RangeError(`${file} is of other mutants or cases than there are now ('${other.mutant}'); remove it, and begin anew`);
}

/** A mutant on which so many cases do not end is not run on the rest of them. */
const PATIENCE = 3;

/** A part of the suite on one mutant. After a case that does not end, the next ones are run all the same. */
async function attack(runner: MatrixProcess, { mutant, part }: Job): Promise<Row> {
  const chosen = PARTS[part].map(({ id }) => id);
  const kills: string[] = [];
  const stuck: string[] = [];
  let firstKill: number | null = null;
  let seconds = 0;
  for (let at = 0; at < chosen.length && stuck.length < PATIENCE; ) {
    const answers = await runner.run({ mutant, ids: chosen.slice(at) });
    for (const [i, [outcome, spent]] of answers.entries()) {
      if (outcome !== 'failed') continue;
      kills.push(chosen[at + i]);
      firstKill ??= seconds + spent;
    }
    seconds += answers.at(-1)?.[1] ?? 0;
    at += answers.length;
    if (at < chosen.length) stuck.push(chosen[at++]);
  }
  return { mutant, part, kills, stuck, firstKill, seconds };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}\n`);
  process.exitCode = 2;
}
