import { JsonLines } from '@rmap-lab/plumbing';
import { Piscina } from 'piscina';
import type { Pair, Result } from './exhaust-one.js';

/** A file of results, of which each is on the disk as soon as it is known. */
export class Campaign {
  /** By name of the pair: what was found last. */
  private readonly found = new Map<string, Result>();
  private readonly lines: JsonLines<Result>;

  /** @throws RangeError when the file has a line that is no result; it stays as it is then */
  constructor(file: string) {
    this.lines = new JsonLines<Result>(file, {
      beginning: () => '{"scenario":"',
      isRow: ({ strategy, scenario, bound }) => [strategy, scenario, bound].every((text) => typeof text === 'string'),
      refusal: (line, text) =>
        new RangeError(
          `${file}:${line} is no result of a campaign; remove the line, or name another file: ${text.slice(0, 200)}`,
        ),
      busy: (how) => new RangeError(`${file}: ${how}; wait for it, or name another file`),
    });
    for (const result of this.lines.rows) this.keep(result);
  }

  /** What is known of these pairs. */
  of(pairs: readonly Pair[]): Result[] {
    return pairs.flatMap((pair) => this.found.get(nameOf(pair)) ?? []);
  }

  /** Explores every pair of which nothing is known, or too little by an engine that had less time, in so many workers. @throws StrategyLoadError */
  async run(pairs: readonly Pair[], workers: number, onResult: (result: Result) => void): Promise<void> {
    this.lines.open();
    const pool = new Piscina<Pair, Result>({
      filename: new URL('./exhaust-one.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
    });
    const explored = async (pair: Pair): Promise<void> => {
      const result = await pool.run(pair);
      this.keep(result);
      this.lines.add(result);
      onResult(result);
    };
    try {
      await Promise.all(pairs.filter((pair) => !this.knows(pair)).map(explored));
    } finally {
      await pool.destroy();
      this.lines.close();
    }
  }

  private keep(result: Result): void {
    this.found.set(nameOf(result), result);
  }

  private knows(pair: Pair): boolean {
    const result = this.found.get(nameOf(pair));
    return result !== undefined && (result.exhausted || result.rule !== null || result.budget >= pair.seconds);
  }
}

const nameOf = ({ strategy, scenario }: { readonly strategy: string; readonly scenario: string }): string =>
  `${strategy} ${scenario}`;
