import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isOutside, type ShortNames, strategyFile } from '@rmap-lab/core/load-strategy';
import { openWorkload } from '@rmap-lab/workloads';
import type { Cell } from './spec.js';

/** Where the files that cells name are looked for. */
export interface FilePlaces {
  readonly shortNames: ShortNames;
  readonly from: string;
}

/** The cells with what their files hold now: with an edited file a cell is another one. @throws UnknownWorkload, BadParameter, TraceError */
export async function withContents(cells: readonly Cell[], { shortNames, from }: FilePlaces): Promise<Cell[]> {
  const traces = await tracesOf(cells, from);
  const filesOf = ({ strategy, workload }: Cell): string[] =>
    [isOutside(strategy, shortNames) ? strategyFile(strategy, from) : null, traces.get(workload)].filter((file) => file != null);
  const hashes = new Map<string, string>();
  for (const file of new Set(cells.flatMap(filesOf))) hashes.set(file, hashOf(await readFile(file)));
  return cells.map((cell) => {
    const held = filesOf(cell).map((file) => hashes.get(file));
    return held.length === 0 ? cell : { ...cell, contents: held.join(' ') };
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
