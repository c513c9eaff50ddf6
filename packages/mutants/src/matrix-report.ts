import { cases } from '@rmap-lab/conformance-suite';

/** The cases, in the order in which they are run: those of one operation at a time, drawn programs, those where several run at once. */
export const PARTS = {
  alone: cases.filter(({ level }) => level !== 'random' && level !== 'concurrency'),
  drawn: cases.filter(({ level }) => level === 'random'),
  together: cases.filter(({ level }) => level === 'concurrency'),
} as const;
export type Part = keyof typeof PARTS;
export const ORDER = Object.keys(PARTS) as readonly Part[];

/** What is done at once. */
export interface Job {
  readonly mutant: string;
  readonly part: Part;
}

/** What a part of the suite says of one mutant. */
export interface Row extends Job {
  /** The cases that kill it. */
  readonly kills: readonly string[];
  /** Cases that it does not come to the end of: it hangs, or breaks the process down. */
  readonly stuck: readonly string[];
  /** Processor time until the first case failed; null: none did. */
  readonly firstKill: number | null;
  /** Processor time of all. */
  readonly seconds: number;
}

/** Whether it is the same part on the same mutant. */
export const isSame = (a: Job, b: Job): boolean => a.mutant === b.mutant && a.part === b.part;

/** Of each case, kills.json keeps this many of the mutants that it kills. */
const KEPT = 3;

/** All that is known of one mutant. */
export interface Found extends Omit<Row, 'part'> {
  /** Parts that were run. */
  readonly parts: readonly Part[];
}

/** All rows of one mutant. */
export function joined(mutant: string, rows: readonly Row[]): Found {
  const own = ORDER.flatMap((part) => rows.find((row) => isSame(row, { mutant, part })) ?? []);
  const first = own.findIndex(({ firstKill }) => firstKill !== null);
  const sum = (some: readonly Row[]): number => some.reduce((total, { seconds }) => total + seconds, 0);
  return {
    mutant,
    parts: own.map(({ part }) => part),
    kills: own.flatMap(({ kills }) => kills),
    stuck: own.flatMap(({ stuck }) => stuck),
    firstKill: first < 0 ? null : sum(own.slice(0, first)) + (own[first].firstKill ?? 0),
    seconds: sum(own),
  };
}

/** By case: the mutants that it kills. */
export type KilledBy = Readonly<Record<string, readonly string[]>>;

/** The same the other way round. */
export const killedBy = (rows: readonly Found[]): KilledBy =>
  Object.fromEntries(cases.map(({ id }) => [id, rows.filter(({ kills }) => kills.includes(id)).map(({ mutant }) => mutant)]));

/** What kills.json keeps. */
export interface Kept {
  /** Mutants that a part of the suite was not run on. */
  readonly missing: Readonly<Record<Part, readonly string[]>>;
  /** Processor time to the first kill, of half the mutants that are killed and of all, in seconds. */
  readonly firstKill: { readonly p50: number; readonly max: number };
  /** Mutants that no case kills with 2 preemptions; killers.json knows one that does with 3. */
  readonly surviving: readonly string[];
  /** By mutant: cases that it does not come to the end of. After three in a part, it was not run on the rest of that part. */
  readonly stuck: Readonly<Record<string, readonly string[]>>;
  /** By case: those mutants that the fewest others kill. */
  readonly kills: Readonly<Record<string, readonly string[]>>;
}

/** The matrix in short. */
export function keptOf(found: readonly Found[], killed: KilledBy): Kept {
  const killers = new Map(found.map(({ mutant, kills }) => [mutant, kills.length]));
  const rarest = (a: string, b: string): number => (killers.get(a) ?? 0) - (killers.get(b) ?? 0);
  const times = found.flatMap(({ firstKill }) => firstKill ?? []).sort((a, b) => a - b);
  const without = (part: Part): readonly string[] =>
    found.filter(({ parts }) => !parts.includes(part)).map(({ mutant }) => mutant);
  const rounded = (seconds: number): number => Number(seconds.toFixed(1));
  return {
    missing: { alone: without('alone'), drawn: without('drawn'), together: without('together') },
    firstKill: { p50: rounded(times[Math.floor(times.length / 2)]), max: rounded(times[times.length - 1]) },
    surviving: found
      .filter(({ kills, parts }) => kills.length === 0 && parts.length === ORDER.length)
      .map(({ mutant }) => mutant),
    stuck: Object.fromEntries(found.flatMap(({ mutant, stuck }) => (stuck.length === 0 ? [] : [[mutant, stuck] as const]))),
    kills: Object.fromEntries(
      Object.entries(killed).flatMap(([id, all]) =>
        all.length === 0 ? [] : [[id, [...all].sort(rarest).slice(0, KEPT)] as const],
      ),
    ),
  };
}

/** The matrix as two tables. */
export const markdown = (found: readonly Found[], killed: KilledBy): string =>
  [
    '| mutant | killed by | after, s | not ended |',
    '| --- | --- | ---: | --- |',
    ...found.map(
      ({ mutant, kills, firstKill, stuck }) =>
        `| \`${mutant}\` | ${kills.join(', ')} | ${firstKill?.toFixed(1) ?? ''} | ${stuck.join(', ')} |`,
    ),
    '',
    '| case | mutants it kills |',
    '| --- | ---: |',
    ...Object.entries(killed).map(([id, all]) => `| \`${id}\` | ${all.length} |`),
  ].join('\n');
