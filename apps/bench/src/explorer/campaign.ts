import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { Piscina } from 'piscina';
import type { Pair, Result } from './exhaust-one.js';

/** A file of results, of which each is on the disk as soon as it is known. */
export class Campaign {
  readonly results: Result[];

  constructor(private readonly file: string) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    // A last line that was torn is searched again.
    this.results = text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Result);
  }

  /** Explores every pair that the file doesn't have, in so many workers. @throws StrategyLoadError */
  async run(pairs: readonly Pair[], workers: number, onResult: (result: Result) => void): Promise<void> {
    const known = new Set(this.results.map(nameOf));
    const pool = new Piscina<Pair, Result>({
      filename: new URL('./exhaust-one.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
    });
    const explored = async (pair: Pair): Promise<void> => {
      const result = await pool.run(pair);
      this.results.push(result);
      appendFileSync(this.file, `${JSON.stringify(result)}\n`);
      onResult(result);
    };
    try {
      await Promise.all(pairs.filter((pair) => !known.has(nameOf(pair))).map(explored));
    } finally {
      await pool.destroy();
    }
  }
}

const nameOf = ({ strategy, scenario }: { readonly strategy: string; readonly scenario: string }): string =>
  `${strategy} ${scenario}`;
