import { PAGE_SIZE, TraceError } from '@rmap-lab/core';
import { type BodyRecord, CALLS, type CallName, type LayoutEntry } from '../format.js';
import { ERRNOS, heldArguments, recordedCall } from './calls.js';
import { recordedEvents } from './events.js';
import { type Files, FileTable } from './files.js';
import { type Asked, type Copied, Settler } from './settle.js';
import { SharedMemory } from './shared-memory.js';

const MAP = /^tracing_mark_write: MAP (\d+) ([0-9a-f]+)-([0-9a-f]+) (....) ([0-9a-f]+) \S+ \d+\s*(.*)$/;
const MAPEND = /^tracing_mark_write: MAPEND (\d+) (\S+)/;
const EXECUTING = /^sched_process_exec: .* pid=(\d+) old_pid=(\d+)/;
const FAULT = /^page_fault_(?:user|kernel): address=(\S+) ip=\S+ error_code=(\S+)/;
/** Also of a fork, when it has copied an address space and lets others change it again. */
const UNLOCKED = /^mmap_lock_released: .*write=true$/;
const NEW_TASK = /^task_newtask: pid=(\d+) comm=.* clone_flags=(\S+)/;
const ENTER = /^sys_(\w+)\((.*)\)$/;
const LEAVE = /^sys_(\w+) -> (\S+)/;
/** An argument of a call. Since Linux 6.19 strings follow after addresses, and some flags are words: those of calls about files, where they don't matter. */
const ARGUMENT = /\b\w+: (-?(?:0x[0-9a-f]+|\d+))/g;

const CLONE = /^(?:clone3?|v?fork)$/;
const EXEC = /^(?:sys_)?execve(?:at)?\b/;

const MLOCK_ONFAULT = 1;
const CLONE_VM = 0x100;
const CLONE_FILES = 0x400;
const CLONE_VFORK = 0x4000;
const FAULT_WRITE = 2;
const USER_END = 2 ** 47;

/** A page, and whether it was written. */
interface Fault {
  readonly page: number;
  readonly write: boolean;
}

interface Task {
  readonly process: number;
  files: FileTable;
  /** Bytes of its segments of shared memory, by address. */
  attached: Map<number, number>;
  /** The system call it is in, with its arguments. */
  call: { readonly name: string; readonly args: readonly number[]; readonly asked: Asked | null; copied: Copied | null } | null;
  /** What exec has made so far, from its start on; writes meanwhile are to the new program and wait for its layout. */
  exec: { readonly layout: LayoutEntry[]; readonly faults: Fault[] } | null;
}

/**
 * Turns what the page-fault recorder wrote into records, from the first exec of the recorded command on. `failed`: what {@link failedFaults}
 * finds in the same lines. @throws TraceError for a line that can't be understood
 */
export async function* importPageFaults(
  lines: AsyncIterable<string> | Iterable<string>,
  name = 'events',
  failed: ReadonlySet<number> = new Set(),
): AsyncGenerator<BodyRecord> {
  const importer = new Importer();
  const settler = new Settler(() => importer.underWay());
  for await (const { pid, text, position } of recordedEvents(lines, name)) {
    if (failed.has(position)) continue;
    try {
      for (const record of importer.take(pid, text)) yield* settler.take(record);
    } catch (error) {
      throw error instanceof SyntaxError ? new TraceError(name, position, error.message) : error;
    }
  }
  yield* settler.rest();
}

class Importer {
  private readonly tasks = new Map<number, Task>();
  private readonly files: Files = { byPath: new Map(), introduced: [] };
  private readonly segments = new SharedMemory();
  private processes = 0;

  *take(pid: number, event: string): Generator<BodyRecord | Copied> {
    const before = [...this.event(pid, event)];
    for (const [file, path] of this.files.introduced.splice(0)) yield { type: 'file', file, name: path, size: null };
    yield* before;
  }

  /** The calls that tasks are in. */
  underWay(): readonly Asked[] {
    return [...this.tasks.values()].flatMap(({ call }) => call?.asked ?? []);
  }

  private *event(pid: number, event: string): Generator<BodyRecord | Copied> {
    let match = MAP.exec(event);
    if (match !== null) return this.mapped(match);
    match = MAPEND.exec(event);
    if (match !== null) return yield* this.executed(Number(match[1]), Number(match[2]));
    match = EXECUTING.exec(event);
    if (match !== null) return this.executing(Number(match[1]), Number(match[2]));
    const task = this.tasks.get(pid) ?? this.command(pid, event);
    if (task === undefined) return;
    match = FAULT.exec(event);
    if (match !== null) return yield* this.fault(task, Number(match[1]), Number(match[2]));
    if (UNLOCKED.test(event)) return yield* unlocked(task);
    match = NEW_TASK.exec(event);
    if (match !== null) return yield* this.forked(task, Number(match[1]), Number.parseInt(match[2], 16));
    if (event.startsWith('sched_process_exit')) return yield* this.exited(pid, task);
    match = ENTER.exec(event);
    if (match !== null) return entered(task, match[1], match[2]);
    match = LEAVE.exec(event);
    if (match === null || task.call?.name !== match[1]) return;
    const { name, args, asked, copied } = task.call;
    task.call = null;
    if (copied !== null) copied.answered = true;
    const records = [...this.returned(task, name, args, toNumber(match[2]))];
    if (asked !== null) {
      asked.answered = true;
      asked.record = records[0] ?? null;
    }
    yield* records;
  }

  /** The recorded command, when it asks for its first exec: all other tasks are born as somebody's child. */
  private command(pid: number, event: string): Task | undefined {
    if (this.tasks.size > 0 || !EXEC.test(event)) return undefined;
    const task: Task = { process: 0, files: new FileTable(this.files), attached: new Map(), call: null, exec: null };
    this.tasks.set(pid, task);
    return task;
  }

  /** A thread that execs takes the number of its thread group's leader, which is gone by then. */
  private executing(pid: number, before: number): void {
    const task = this.tasks.get(before);
    if (task === undefined || pid === before) return;
    this.tasks.delete(before);
    this.tasks.set(pid, task);
  }

  private mapped([, pid, start, end, access, offset, path]: RegExpExecArray): void {
    const task = this.tasks.get(Number(pid));
    // Far above all user memory lies a page that is not the process's own.
    if (task?.exec == null || Number.parseInt(start, 16) >= USER_END) return;
    const kind = layoutKind(path);
    task.exec.layout.push({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      prot: (access[0] === 'r' ? 1 : 0) | (access[1] === 'w' ? 2 : 0) | (access[2] === 'x' ? 4 : 0),
      shared: access[3] === 's',
      kind,
      file: kind === 'file' ? task.files.ofPath(path) : null,
      offset: kind === 'file' ? Number.parseInt(offset, 16) : 0,
    });
  }

  private *executed(pid: number, brk: number): Generator<BodyRecord> {
    const task = this.tasks.get(pid);
    if (task?.exec == null) return;
    const { layout, faults } = task.exec;
    task.exec = null;
    task.attached = new Map();
    let { process } = task;
    if (process === 0) {
      process = ++this.processes;
      this.tasks.set(pid, { ...task, process });
      yield { type: 'process', process, parent: null, kind: 'spawn' };
    }
    yield { type: 'exec', process, brk: brk === 0 ? null : brk, layout };
    for (const fault of faults) yield touch(process, fault);
  }

  private *fault(task: Task, address: number, code: number): Generator<BodyRecord> {
    if (address >= USER_END) return;
    const fault: Fault = { page: Math.floor(address / PAGE_SIZE), write: (code & FAULT_WRITE) !== 0 };
    // Exec reads its arguments from the old program and writes only what it makes of the new one.
    if (task.exec !== null && fault.write) task.exec.faults.push(fault);
    else if (task.process !== 0) yield touch(task.process, fault);
  }

  private *forked(parent: Task, pid: number, flags: number): Generator<BodyRecord> {
    if (parent.process === 0) return;
    const process = ++this.processes;
    const files = (flags & CLONE_FILES) !== 0 ? parent.files : parent.files.copy();
    const shares = (flags & CLONE_VM) !== 0;
    const attached = shares ? parent.attached : new Map(parent.attached);
    this.tasks.set(pid, { process, files, attached, call: null, exec: null });
    const kind = shares ? ((flags & CLONE_VFORK) !== 0 ? 'vfork' : 'thread') : 'fork';
    const record: BodyRecord = { type: 'process', process, parent: parent.process, kind };
    const copied = parent.call?.copied ?? null;
    if (copied !== null) copied.answered = true;
    if (copied === null || shares) yield record;
    else copied.record = record;
  }

  private *exited(pid: number, task: Task): Generator<BodyRecord> {
    this.tasks.delete(pid);
    // It was killed in a call.
    for (const one of [task.call?.asked, task.call?.copied]) if (one) one.answered = true;
    if (task.process !== 0) yield { type: 'exit', process: task.process };
  }

  private *returned(task: Task, name: string, args: readonly number[], result: number): Generator<BodyRecord> {
    if (EXEC.test(name)) task.exec = null;
    if (task.files.called(name, args, result) || EXEC.test(name) || task.process === 0) return;
    const segment = result < 0 ? null : this.segments.called(name, args, result, task.attached, task.files);
    if (segment !== null) {
      const [call, args] = segment;
      return yield { type: 'call', process: task.process, call, args, result: call === 'mmap' ? result : 0 };
    }
    const call = recordedCall(name, args[2] === MLOCK_ONFAULT);
    const refusal = result < 0 ? ERRNOS[-result] : null;
    if (call === null || refusal === undefined) return;
    const held = heldArguments(call, argumentsOf(call, args, task.files), refusal === null);
    if (held !== null) yield { type: 'call', process: task.process, call, args: held, result: refusal ?? result };
  }
}

function* unlocked({ call }: Task): Generator<Copied> {
  if (call === null || !CLONE.test(call.name)) return;
  call.copied ??= { type: 'copied', answered: false, record: null };
  yield call.copied;
}

function entered(task: Task, name: string, text: string): void {
  const args = Array.from(text.matchAll(ARGUMENT), ([, number]) => toNumber(number));
  const call = recordedCall(name);
  const asked = call === null ? null : { process: task.process, call, args, answered: false, record: null };
  task.call = { name, args, asked, copied: null };
  if (EXEC.test(name)) task.exec = { layout: [], faults: [] };
}

const touch = (process: number, { page, write }: Fault): BodyRecord => ({
  type: 'touch',
  process,
  first: page,
  count: 1,
  stride: 1,
  write,
});

/** @throws SyntaxError when some are missing */
function argumentsOf(call: CallName, args: readonly number[], files: FileTable): readonly number[] {
  if (args.length < CALLS[call].length)
    throw new SyntaxError(`${call} has ${args.length} arguments that are numbers, not ${CALLS[call].length}`);
  if (call !== 'mmap') return args.slice(0, CALLS[call].length);
  const [address, length, prot, flags, fd, offset] = args;
  const anonymous = (flags & 0x20) !== 0 || fd < 0;
  return [address, length, prot, flags, anonymous ? -1 : files.ofDescriptor(fd), anonymous ? 0 : offset];
}

function layoutKind(path: string): LayoutEntry['kind'] {
  if (path === '') return 'anonymous';
  if (path === '[stack]') return 'stack';
  if (path === '[heap]') return 'heap';
  return path.startsWith('[') ? 'special' : 'file';
}

/** A number as the kernel prints it; 64-bit results above the address space are negative. */
function toNumber(text: string): number {
  return Number(BigInt.asIntN(64, BigInt(text)));
}
