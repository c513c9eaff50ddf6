import { findStrategyPackages, STRATEGY_KEYWORD } from '@rmap-lab/core/load-strategy';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { print } from '../apart.js';
import { bundledStrategies, packageOf, standing } from '../load-strategy.js';
import { probe } from '../probe.js';

/** A strategy that can be named. */
interface ListedStrategy {
  /** What `--strategy` takes. */
  readonly name: string;
  /** null: it comes with the command. */
  readonly version: string | null;
  /** Folder of the package; null: it comes with the command. */
  readonly where: string | null;
  readonly contract: number | null;
  /** Why it can't be loaded. */
  readonly error: string | null;
  /** The same package as somebody installed it: not used by the short name, but by its own. */
  readonly installed: { readonly name: string; readonly version: string; readonly where: string } | null;
}

export function addStrategies(program: Command): void {
  program
    .command('strategies')
    .description(`list the strategies that come along, and installed packages with the keyword ${STRATEGY_KEYWORD}`)
    .option('--json', 'print a JSON array of {name, version, where, contract, error, installed}')
    .action(async ({ json }: { json?: boolean }) => {
      const all = await listed();
      print(json ? `${JSON.stringify(all)}\n` : `${report(all)}\n`);
    });
}

async function listed(): Promise<readonly ListedStrategy[]> {
  const packages = findStrategyPackages(standing());
  const here = bundledStrategies().map((shortName): ListedStrategy => {
    const twin = packages.find(({ name }) => name === packageOf(shortName));
    const installed = twin === undefined ? null : { name: twin.name, version: twin.version, where: twin.directory };
    return { name: shortName, version: null, where: null, contract: 1, error: null, installed };
  });
  const bundled = new Set(bundledStrategies().map(packageOf));
  const others = packages.filter(({ name }) => !bundled.has(name));
  const found = others.map(async ({ name, version, directory }): Promise<ListedStrategy> => {
    const result = await probe(name);
    const error = 'error' in result ? result.error : null;
    return { name, version, where: directory, contract: 'error' in result ? null : result.contract, error, installed: null };
  });
  return [...here, ...(await Promise.all(found))];
}

function report(all: readonly ListedStrategy[]): string {
  const table = new Table({
    head: ['strategy', 'version', 'contract', 'where'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, version, contract, where } of all)
    table.push([name, version ?? '', contract ?? 'does not load', where ?? 'comes with rmap-lab']);
  const errors = all.flatMap(({ error }) => error ?? []);
  const twins = all.flatMap(({ name, installed }) =>
    installed === null
      ? []
      : `'${name}' is the one that comes with rmap-lab; '${installed.name}' (${installed.version}) is that in ${installed.where}`,
  );
  return [table.toString(), ...twins, ...errors].join('\n');
}
