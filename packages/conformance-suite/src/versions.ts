import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import type { RmapStrategy } from '@rmap-lab/core';

/** The version of the contract that the suite checks. */
export const CONTRACT = 1;

/** What takes part in a run, by version. */
export interface Versions {
  readonly suite: string;
  readonly core: string;
}

const versionIn = (file: string | URL): string => (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;

/** What is installed. */
export const installed: Versions = {
  suite: versionIn(new URL('../package.json', import.meta.url)),
  core: versionIn(createRequire(import.meta.url).resolve('@rmap-lab/core/package.json')),
};

/** Suite, core and strategy do not belong together; nothing was run. The message says what to install. */
export class WrongVersions extends Error {
  override readonly name = 'WrongVersions';
}

/** What two versions must agree in to belong together: the major number, and before 1.0.0 the minor one too. */
const generation = (version: string): string => /^(0\.\d+|\d+)/.exec(version)?.[0] ?? version;

/** Checked before anything is run. @throws WrongVersions */
export function checkVersions(
  { name, contract }: Pick<RmapStrategy, 'name' | 'contract'>,
  { suite, core }: Versions = installed,
): void {
  if (generation(suite) !== generation(core))
    throw new WrongVersions(
      `the conformance suite ${suite} does not fit core ${core}: install @rmap-lab/conformance-suite@^${core}, or @rmap-lab/core@^${suite}`,
    );
  if ((contract as number) !== CONTRACT)
    throw new WrongVersions(
      `strategy '${name}' speaks contract ${inspect(contract)}, the conformance suite ${suite} checks contract ${CONTRACT}: install a version of the strategy for contract ${CONTRACT}, or a @rmap-lab/conformance-suite for that of the strategy`,
    );
}
