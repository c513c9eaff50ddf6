import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { digestOf, moduleOf, type ShortNames } from '@rmap-lab/core/load-strategy';
import { openWorkload } from '@rmap-lab/workloads';
import type { Cell } from './spec.js';

/** Where the files that cells name are looked for. */
export interface FilePlaces {
  readonly shortNames: ShortNames;
  readonly from: string;
}

/** What measures. */
const LAB = ['@rmap-lab/core', '@rmap-lab/workloads'].map((name) => import.meta.resolve(name)).concat(import.meta.url);

/** The cells with what they depend on now: with other code, or another trace, a cell is another one. @throws UnknownWorkload, BadParameter, TraceError */
export async function withContents(cells: readonly Cell[], { shortNames, from }: FilePlaces): Promise<Cell[]> {
  const traces = await tracesOf(cells, from);
  const known = new Map<string, string>();
  const contentsOf = ({ strategy, workload }: Cell): string => {
    const trace = traces.get(workload);
    return [
      digestOf([...LAB, moduleOf(strategy, shortNames, from)]),
      ...(trace === undefined ? [] : [hashOf(readFileSync(trace))]),
    ].join(' ');
  };
  return cells.map((cell) => {
    const key = JSON.stringify([cell.strategy, cell.workload]);
    const contents = known.get(key) ?? contentsOf(cell);
    known.set(key, contents);
    return { ...cell, contents };
  });
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** Opens every workload with every choice of its parameters, once, and reads traces to their ends: a damaged one is no strategy's fault. */
async function tracesOf(cells: readonly Cell[], from: string): Promise<Map<string, string>> {
  const traces = new Map<string, string>();
  const seen = new Set<string>();
  for (const { workload, parameters } of cells) {
    const key = JSON.stringify([workload, parameters]);
    if (seen.has(key)) continue;
    seen.add(key);
    const { file, records } = await openWorkload(workload, parameters, from);
    if (file === undefined) continue;
    traces.set(workload, file);
    for await (const _ of records);
  }
  return traces;
}
