import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Piscina } from 'piscina';
import type { Pair, Result } from './exhaust-one.js';

/** A file of results, of which each is on the disk as soon as it is known. */
export class Campaign {
  /** By name of the pair: what was found last. */
  private readonly found = new Map<string, Result>();

  constructor(private readonly file: string) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // A last line that was torn is searched again.
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    for (const line of lines) if (line !== '') this.keep(JSON.parse(line) as Result);
  }

  /** What is known of these pairs. */
  of(pairs: readonly Pair[]): Result[] {
    return pairs.flatMap((pair) => this.found.get(nameOf(pair)) ?? []);
  }

  /** Explores every pair of which nothing is known, or too little by an engine that had less time, in so many workers. @throws StrategyLoadError */
  async run(pairs: readonly Pair[], workers: number, onResult: (result: Result) => void): Promise<void> {
    const pool = new Piscina<Pair, Result>({
      filename: new URL('./exhaust-one.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
    });
    const explored = async (pair: Pair): Promise<void> => {
      const result = await pool.run(pair);
      this.keep(result);
      appendFileSync(this.file, `${JSON.stringify(result)}\n`);
      onResult(result);
    };
    try {
      await Promise.all(pairs.filter((pair) => !this.knows(pair)).map(explored));
    } finally {
      await pool.destroy();
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
