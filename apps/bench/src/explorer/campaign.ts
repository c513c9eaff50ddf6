import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { Piscina } from 'piscina';
import type { Pair, Result } from './exhaust-one.js';

/** How every line begins: by this a last line that was torn is told from text that is not ours. */
const BEGINNING = '{"scenario":"';

/** A file of results, of which each is on the disk as soon as it is known. */
export class Campaign {
  /** By name of the pair: what was found last. */
  private readonly found = new Map<string, Result>();

  /** @throws RangeError when the file has a line that is no result; it stays as it is then */
  constructor(private readonly file: string) {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const torn = text.slice(whole.length);
    const lines = whole.split('\n');
    for (const [i, line] of lines.entries()) if (line !== '') this.keep(resultFrom(line, `${file}:${i + 1}`));
    if (!torn.startsWith(BEGINNING.slice(0, torn.length))) throw noResult(torn, `${file}:${lines.length}`);
    // What was torn is searched again, and a result that is added must begin a line.
    if (torn !== '') truncateSync(file, Buffer.byteLength(whole));
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

function resultFrom(line: string, where: string): Result {
  try {
    const result = JSON.parse(line) as Result;
    if ([result.strategy, result.scenario, result.bound].every((text) => typeof text === 'string')) return result;
  } catch {
    // Said below.
  }
  throw noResult(line, where);
}

const noResult = (line: string, where: string): RangeError =>
  new RangeError(`${where} is no result of a campaign; remove the line, or name another file: ${line.slice(0, 200)}`);
