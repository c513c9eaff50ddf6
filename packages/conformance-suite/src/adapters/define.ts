import type { RmapStrategy } from '@rmap-lab/core';
import { again } from '../again.js';
import { longest } from '../defaults.js';
import { explain } from '../report/explain.js';
import { type ConformanceOptions, decides, runCase, selectCases } from '../run.js';
import { checkVersions } from '../versions.js';

/** What every test runner has. */
export interface Runner {
  describe(name: string, body: () => void): void;
  /** @param milliseconds that it may take */
  it(name: string, body: () => void, milliseconds: number): void;
  /** A test that is shown as not run. */
  skip(name: string): void;
}

/**
 * Defines one test for each case. A refused case passes, as it was refused, and says so in its name; one that nothing can verify is
 * skipped, and says why.
 */
export function defineTests({ describe, it, skip }: Runner, strategy: RmapStrategy, options: ConformanceOptions = {}): void {
  checkVersions(strategy);
  const chosen = selectCases(options);
  const command = again('rmap-conformance', process.env.npm_package_name ?? strategy.name, options);
  describe(`${strategy.name} conforms`, () => {
    for (const level of new Set(chosen.map((each) => each.level))) {
      describe(level, () => {
        for (const each of chosen.filter((one) => one.level === level)) {
          const name = `${each.rule} ${each.id}: ${each.title}`;
          const reason = each.unverifiable?.(strategy) ?? null;
          if (reason !== null) {
            skip(`${name} (unverified: ${reason})`);
            continue;
          }
          const refused = each.needs.some((feature) => strategy.unsupported?.[feature] !== undefined);
          const body = (): void => {
            const result = runCase(each, strategy, options);
            if (decides(result)) throw new Error(explain(result, command));
          };
          it(`${name}${refused ? ' (refused)' : ''}`, body, 1000 * longest(options.preemptions));
        }
      });
    }
  });
}
