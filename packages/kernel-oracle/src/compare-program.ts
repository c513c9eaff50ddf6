import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RmapStrategy } from '@rmap-lab/core';
import { openWorkload } from '@rmap-lab/workloads';
import { Judge } from './judge.js';
import type { Oracle } from './oracle.js';
import { type OracleReport, Tally } from './report.js';
import { readProgram, type SavedProgram } from './saved-program.js';
import { DEFAULT_SETTINGS } from './settings.js';
import { workloadProgram } from './workload-program.js';

/** How to run one program. */
export interface ProgramOptions {
  /** Makes the reverse map of the model: the one that Linux has. */
  readonly strategy: () => RmapStrategy;
  /** Where file names are meant from. */
  readonly from: string;
  /** Ends the comparison before its time. */
  readonly signal?: AbortSignal;
}

/** Compares one program: a JSON file (see {@link readProgram}), or a workload by its name or its file. @throws BadProgram, CannotObserve; UnknownWorkload, TraceError */
export async function compareProgram(
  oracle: Oracle,
  name: string,
  { strategy, from, signal }: ProgramOptions,
): Promise<OracleReport> {
  const { notes, ...saved } = await open(name, from);
  const { program } = saved;
  const settings = oracle.tier.settingsFor(saved);
  const tally = new Tally();
  await oracle.system.with(settings, async () => {
    const verdict = await new Judge(oracle.driver, strategy, settings).compare(program, everyOf(program.length), signal);
    tally.add(program.slice(0, verdict.operations), verdict);
    if (verdict.difference !== null) tally.differences.push(verdict.difference);
  });
  return tally.report({ judge: 'this kernel', seed: null, ...oracle.tier.seen, notes, partial: signal?.aborted ?? false });
}

/** After how many operations of so many to look: short programs are seen step by step. */
const everyOf = (operations: number): number => Math.max(1, Math.ceil(operations / 200));

async function open(name: string, from: string): Promise<SavedProgram & { readonly notes: readonly string[] }> {
  const file = resolve(from, name);
  if (name.endsWith('.json')) return { ...(await readProgram(file)), notes: [] };
  const { records } = await openWorkload(existsSync(file) ? file : name);
  const { program, notes } = await workloadProgram(records);
  return { settings: DEFAULT_SETTINGS, program, notes };
}
