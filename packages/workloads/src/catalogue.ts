import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '@rmap-lab/core';
import { generators, type WorkloadGenerator } from './generate/generators.js';
import { placeRecords } from './generate/place.js';
import type { PlacedRecord } from './parser.js';
import { readTrace } from './reader.js';
import { kindOf } from './replay/apply.js';
import { readEnd } from './tail.js';

const TRACES = new URL('../traces/', import.meta.url);
const SUFFIX = '.trace.gz';

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
  /** Its trace, where it does not come with this package. */
  readonly file?: string;
  readonly records: AsyncIterable<PlacedRecord> | Iterable<PlacedRecord>;
}

/** There is neither a workload nor a file of this name. */
export class UnknownWorkload extends InputError {
  override readonly name = 'UnknownWorkload';
  constructor(
    readonly workload: string,
    /** Names of the workloads that there are. */
    readonly available: readonly string[],
  ) {
    super(`there is no workload and no file '${workload}'; workloads are: ${available.join(', ')}`);
  }
}

/** A workload was given a parameter that it does not have, or one that is no positive whole number. */
export class BadParameter extends InputError {
  override readonly name = 'BadParameter';
  constructor(workload: string, parameter: string, value: number, known: readonly string[]) {
    const has = known.length === 0 ? 'it takes none: it is recorded' : `it takes ${known.join(', ')}, each a whole number from 1`;
    super(`workload '${workload}' can't take ${parameter}=${value}; ${has}`);
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
  for (const [name, generate] of Object.entries(generators)) {
    let operations = 0;
    for (const record of generate()) if (kindOf(record) !== null) operations++;
    found.push({ name, kind: 'generated', operations, bytes: 0 });
  }
  return found;
}

/**
 * The workload of this name, or the trace in this file. Its records are read when they are asked for. `parameters` are those of a
 * generated workload, by name; what is not named is as documented. Files are looked for from `from`. @throws UnknownWorkload, BadParameter
 */
export async function openWorkload(
  nameOrFile: string,
  parameters: Readonly<Record<string, number>> = {},
  from = process.cwd(),
): Promise<Workload> {
  if (Object.hasOwn(generators, nameOrFile)) {
    const generate = generators[nameOrFile];
    checkParameters(nameOrFile, parametersOf(generate), parameters);
    return { name: nameOrFile, kind: 'generated', records: placeRecords(generate(parameters)) };
  }
  const names = await recorded();
  const known = names.includes(nameOrFile);
  const file = known ? traceFile(nameOrFile) : resolve(from, nameOrFile);
  if (!existsSync(file)) throw new UnknownWorkload(nameOrFile, [...names, ...Object.keys(generators)]);
  checkParameters(nameOrFile, [], parameters);
  return { name: nameOrFile, kind: 'recorded', ...(known ? {} : { file }), records: readTrace(file, nameOrFile) };
}

/** Names of a generator's parameters: its header holds them all. */
function parametersOf(generate: WorkloadGenerator): string[] {
  for (const record of generate()) if (record.type === 'header') return Object.keys(record.options);
  return [];
}

function checkParameters(workload: string, known: readonly string[], given: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name) || !Number.isSafeInteger(value) || value < 1) throw new BadParameter(workload, name, value, known);
  }
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
