import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TraceRecord } from './format.js';
import { forkChain } from './generate/fork-chain.js';
import { placeRecords } from './generate/place.js';
import { zygote } from './generate/zygote.js';
import type { PlacedRecord } from './parser.js';
import { readTrace } from './reader.js';
import { kindOf } from './replay/apply.js';
import { readEnd } from './tail.js';

const TRACES = new URL('../traces/', import.meta.url);
const SUFFIX = '.trace.gz';
const GENERATED: Readonly<Record<string, () => Iterable<TraceRecord>>> = { 'fork-chain': forkChain, zygote };

/** A workload that comes with this package. */
export interface WorkloadInfo {
  readonly name: string;
  readonly kind: 'recorded' | 'generated';
  /** Records that do something: what a whole replay counts as operations. */
  readonly operations: number;
  /** Bytes on disk; 0 when generated. */
  readonly bytes: number;
}

/** A workload to replay. */
export interface Workload {
  readonly name: string;
  readonly kind: 'recorded' | 'generated';
  readonly records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>;
}

/** There is neither a workload nor a file of this name. */
export class UnknownWorkload extends Error {
  override readonly name = 'UnknownWorkload';
  constructor(
    readonly workload: string,
    /** Names of the workloads that there are. */
    readonly available: readonly string[],
  ) {
    super(`there is no workload and no file '${workload}'; workloads are: ${available.join(', ')}`);
  }
}

/** What comes with this package: recorded traces by name, then generated ones. @throws TraceError for a damaged trace */
export async function workloads(): Promise<readonly WorkloadInfo[]> {
  const found: WorkloadInfo[] = [];
  for (const name of await recorded()) {
    const [{ size }, { counts }] = [await stat(traceFile(name)), await readEnd(traceFile(name))];
    const { process = 0, exec = 0, exit = 0, call = 0, touch = 0, kernel = 0 } = counts;
    found.push({ name, kind: 'recorded', operations: process + exec + exit + call + touch + kernel, bytes: size });
  }
  for (const [name, generate] of Object.entries(GENERATED)) {
    let operations = 0;
    for (const record of generate()) if (kindOf(record) !== null) operations++;
    found.push({ name, kind: 'generated', operations, bytes: 0 });
  }
  return found;
}

/** The workload of this name, or the trace in this file. Its records are read when they are asked for. @throws UnknownWorkload */
export async function openWorkload(nameOrFile: string): Promise<Workload> {
  if (Object.hasOwn(GENERATED, nameOrFile)) {
    return { name: nameOrFile, kind: 'generated', records: placeRecords(GENERATED[nameOrFile]()) };
  }
  const names = await recorded();
  const file = names.includes(nameOrFile) ? traceFile(nameOrFile) : nameOrFile;
  if (!existsSync(file)) throw new UnknownWorkload(nameOrFile, [...names, ...Object.keys(GENERATED)]);
  return { name: nameOrFile, kind: 'recorded', records: readTrace(file) };
}

async function recorded(): Promise<readonly string[]> {
  if (!existsSync(TRACES)) return [];
  const files = await readdir(TRACES);
  return files
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

const traceFile = (name: string): string => fileURLToPath(new URL(`${name}${SUFFIX}`, TRACES));
