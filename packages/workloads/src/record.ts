import { execFile, spawn } from 'node:child_process';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InputError, PAGE_SIZE } from '@rmap-lab/core';
import { Checksum } from './checksum.js';
import { type BodyRecord, type EndRecord, FORMAT, VERSION } from './format.js';
import { explainTouches } from './import/explain.js';
import { failedFaults } from './import/failed-faults.js';
import { leaveOutUnmapped } from './import/leave-out.js';
import { importPageFaults } from './import/page-faults.js';
import { importStrace } from './import/strace.js';
import { MAX_MAP_COUNT } from './replay/recorded-machine.js';
import { createTraceWriter } from './writer.js';

/** What was recorded, and how. */
export interface Recording {
  readonly output: string;
  /** `page-faults`: every page fault and layout. `strace`: system calls only, so no page is ever touched in a replay. */
  readonly method: 'page-faults' | 'strace';
  /** What page faults would have taken, in words; null when they were recorded. */
  readonly missing: string | null;
  /** Page faults in memory that no record made: with any, the trace lacks something and its replay stops there. */
  readonly unexplained: number;
  /** Calls on memory that exec mapped, which `strace` does not show: left out, for no replay could answer them. */
  readonly leftOut: number;
  readonly end: EndRecord;
}

/** A recording that can't be made here: what is missing, and how to get it. */
export class CannotRecord extends InputError {
  override readonly name = 'CannotRecord';
}

/** Its number is fixed (PROC_PID_INIT_INO). By the numbers that tasks have there the kernel's events call them. */
const FIRST_PID_NAMESPACE = `pid:[${0xeffffffc}]`;

const SOURCE = fileURLToPath(new URL('../recorder/record.c', import.meta.url));

/**
 * Runs a command and records what it and its descendants do to their memory. What is in the output is replaced when all is written, and
 * kept if there is nothing to replace it by. @throws CannotRecord, TraceError; before the command runs, what the file system says of the output
 */
export async function record(command: readonly string[], { output }: { readonly output: string }): Promise<Recording> {
  if (process.platform !== 'linux')
    throw new CannotRecord(`recording takes Linux, this is ${process.platform}; replaying works everywhere`);
  const missing = await missingForPageFaults();
  const part = await besides(output);
  const scratch = await mkdtemp(join(tmpdir(), 'rmap-lab-record-'));
  try {
    const events = join(scratch, 'events');
    if (missing === null) await runAttached(await recorder(), [events, ...command]);
    else await runStrace(events, command, missing);
    // To be read at once: what a reader has without a listener is lost.
    const lines = (): AsyncIterable<string> => createInterface({ input: createReadStream(events) });
    const counts = { unexplained: 0, leftOut: 0 };
    const method = missing === null ? 'page-faults' : 'strace';
    let records: AsyncIterable<BodyRecord>;
    if (missing === null) {
      const failed = await failedFaults(lines());
      records = explainTouches(importPageFaults(lines(), 'events', failed), () => counts.unexplained++);
    } else {
      // Once to count: what is left out stands in the header.
      for await (const _ of leaveOutUnmapped(importStrace(lines()), () => counts.leftOut++));
      records = leaveOutUnmapped(importStrace(lines()), () => {});
    }
    const options: Record<string, string> = missing === null ? {} : { 'left-out': leftOutInWords(counts.leftOut) };
    const end = await write(part, method, command, records, options);
    if (end.counts.exec === undefined) throw new CannotRecord(`'${command[0]}' was not executed: there is nothing to keep`);
    await rename(part, output);
    return { output, method, missing, ...counts, end };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A new file beside the output, to become it, and nobody else's: whether it can be written shows before a command runs for hours. @throws CannotRecord, or what the file system says */
async function besides(output: string): Promise<string> {
  const there = await stat(output).catch(() => null);
  if (there !== null && !there.isFile()) throw new CannotRecord(`the output '${output}' is there already, and is no file`);
  const part = `${output}.${process.pid}.part`;
  await writeFile(part, '', { flag: 'wx' });
  return part;
}

const leftOutInWords = (calls: number): string =>
  `every touch of a page, what exec mapped${calls === 0 ? '' : `, and ${calls} calls on that`}`;

/** What keeps page faults from being recorded; null: nothing. */
async function missingForPageFaults(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'page faults take root';
  if (!existsSync('/sys/kernel/tracing/instances'))
    return 'page faults take tracefs: mount -t tracefs tracefs /sys/kernel/tracing';
  const namespace = await readlink('/proc/self/ns/pid').catch(() => null);
  if (namespace !== FIRST_PID_NAMESPACE) return 'page faults take the first PID namespace, which is outside of containers';
  const found = await promisify(execFile)('cc', ['--version']).catch(() => null);
  return found === null ? 'page faults take a C compiler (cc), to build the recorder' : null;
}

/** The recorder, compiled at first use and kept. @throws CannotRecord */
async function recorder(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(tmpdir(), `rmap-lab-${process.getuid?.() ?? 0}`), 'recorder');
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await mustBeMine(dirname(cache));
  await mustBeMine(cache);
  const source = new Checksum();
  source.add(readFileSync(SOURCE));
  const program = join(cache, `record-${source}`);
  if (existsSync(program)) return program;
  // Under a name of its own first: another recording may do the same at the same time.
  const fresh = `${program}.${process.pid}`;
  await promisify(execFile)('cc', ['-O2', '-pthread', '-o', fresh, SOURCE]).catch((error: Error) => {
    throw new CannotRecord(`the recorder does not compile: ${error.message}`);
  });
  await rename(fresh, program);
  return program;
}

/** What is kept there runs as root, so nobody else may have put it there. @throws CannotRecord */
async function mustBeMine(folder: string): Promise<void> {
  const { uid, mode } = await lstat(folder);
  if (uid !== process.getuid?.() || (mode & 0o170022) !== 0o040000)
    throw new CannotRecord(`${folder} must be a folder that only you can write to; remove it, or set XDG_CACHE_HOME`);
}

async function runStrace(events: string, command: readonly string[], missing: string): Promise<void> {
  const found = await promisify(execFile)('strace', ['-V']).catch(() => null);
  if (found === null) throw new CannotRecord(`there is no strace, and ${missing}; install strace, or see to the latter`);
  await runAttached('strace', ['-f', '-y', '-e', 'trace=memory,process', '-o', events, ...command]);
}

/** Runs a program on this terminal; what is recorded when the user interrupts it is kept. @throws CannotRecord when the recorder fails; the recorded command may */
function runAttached(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['inherit', 'inherit', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (data: Buffer) => {
      // The command's own as well, which may be endless; wanted is the last line.
      errors = `${errors}${data}`.slice(-4096);
      process.stderr.write(data);
    });
    // The terminal interrupts the child as well; what ends us alone, it must be told.
    const stay = (): void => {};
    const handOn = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGINT', stay).on('SIGTERM', handOn).on('SIGHUP', handOn);
    child.on('error', reject);
    child.on('close', (status) => {
      process.off('SIGINT', stay).off('SIGTERM', handOn).off('SIGHUP', handOn);
      // strace ends as the command did; the recorder says whether it could record.
      if (status !== 0 && program !== 'strace')
        reject(new CannotRecord(errors.trim().split('\n').pop() ?? 'the recorder failed'));
      else resolve();
    });
  });
}

async function write(
  output: string,
  method: Recording['method'],
  command: readonly string[],
  records: AsyncIterable<BodyRecord>,
  options: Readonly<Record<string, string>>,
): Promise<EndRecord> {
  const writer = createTraceWriter(output);
  // Base names only: a trace does not say where on whose machine it was made.
  const program = command.map((argument) => argument.replace(/\S*\//g, ''));
  await writer.write({
    type: 'header',
    format: FORMAT,
    version: VERSION,
    pageSize: PAGE_SIZE,
    source: `rmap-lab record (${method}): ${program.join(' ')}`,
    options: {
      kernel: release(),
      thp: transparentHugePages(),
      [MAX_MAP_COUNT]: readFileSync('/proc/sys/vm/max_map_count', 'utf8').trim(),
      ...(await largeFolios()),
      ...options,
    },
  });
  for await (const one of records) await writer.write(one);
  return await writer.end();
}

/** The setting in brackets: `always [madvise] never`. */
function transparentHugePages(): string {
  const file = '/sys/kernel/mm/transparent_hugepage/enabled';
  return existsSync(file) ? (/\[(\w+)\]/.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown') : 'absent';
}

/** Sizes of large folios that the recorded kernel may have used unasked. */
async function largeFolios(): Promise<Record<string, string>> {
  const folder = '/sys/kernel/mm/transparent_hugepage';
  if (!existsSync(folder)) return {};
  const sizes = (await readdir(folder)).filter((name) => name.startsWith('hugepages-'));
  const switches = sizes.map((size) => [size, join(folder, size, 'enabled')]).filter(([, file]) => existsSync(file));
  const always = switches.filter(([, file]) => readFileSync(file, 'utf8').includes('[always]')).map(([size]) => size);
  return always.length === 0 ? {} : { 'large-folios': always.join(' ') };
}
