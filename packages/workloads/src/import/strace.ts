import { type Errno, TraceError } from '@rmap-lab/core';
import type { BodyRecord, CallName } from '../format.js';
import { ERRNOS, heldArguments, recordedCall } from './calls.js';
import { type Files, FileTable } from './files.js';
import { tellHeaps } from './heap-start.js';
import { type Asked, Settler } from './settle.js';
import { callArguments, descriptors } from './strace-calls.js';
import { type StraceLine, straceLines } from './strace-lines.js';

const CALL = /^(\w+)\((.*)\)\s+= (-?\w+|\?)(?:<.*>)?(?: (E[A-Z0-9]+))?.*$/;
const UNFINISHED = /^(.*?)\s*<unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. \w+ resumed>\s?(.*)$/;
const SAYS_NOTHING = /^(?:---|\+\+\+|strace:)/;
const CHILD = /^(?:clone|clone3|fork|vfork)$/;
const REFUSALS: ReadonlySet<string> = new Set(Object.values(ERRNOS));

interface Task {
  readonly process: number;
  readonly files: FileTable;
  /** The first half of a call that another task interrupted. */
  unfinished: string;
  /** The same, if it may free memory. */
  asked: Asked | null;
}

/**
 * Turns the raw output of `strace -f -e trace=memory,process` into records: system calls, processes, execs and exits. There are
 * no page faults and no layouts in it, so what exec mapped is not there when the program protects or moves it; where its heap starts, the
 * first brk tells. Which mappings are of one file shows with `-y`, or with open, openat, close and dup among the calls; else one descriptor is one file all along.
 * @throws TraceError for a line that can't be understood
 */
export function importStrace(lines: AsyncIterable<string> | Iterable<string>, name = 'strace'): AsyncGenerator<BodyRecord> {
  return tellHeaps(imported(lines, name));
}

async function* imported(lines: AsyncIterable<string> | Iterable<string>, name: string): AsyncGenerator<BodyRecord> {
  const importer = new Importer(name);
  const settler = new Settler(() => importer.underWay());
  for await (const line of straceLines(lines)) for (const record of importer.take(line)) yield* settler.take(record);
  for (const record of importer.rest()) yield* settler.take(record);
  yield* settler.rest();
}

class Importer {
  private readonly tasks = new Map<number, Task>();
  private readonly files: Files = { byPath: new Map(), introduced: [] };
  /** Lines of children whose parent's call has not returned yet: only that says whose they are. */
  private readonly unborn = new Map<number, StraceLine[]>();
  private processes = 0;

  constructor(private readonly name: string) {}

  /** The calls that tasks are in, of those that may free memory. */
  underWay(): readonly Asked[] {
    return [...this.tasks.values()].flatMap(({ asked }) => asked ?? []);
  }

  *take(line: StraceLine): Generator<BodyRecord> {
    const { pid, text, position } = line;
    if (text === null) return this.wait(pid, []);
    const task = this.find(pid) ?? (this.tasks.size === 0 ? yield* this.introduce(pid) : null);
    if (task === null) return this.wait(pid, [line]);
    try {
      for (const record of this.said(task, pid, text)) {
        for (const [file, path] of this.files.introduced.splice(0)) yield { type: 'file', file, name: path, size: null };
        yield record;
      }
    } catch (error) {
      throw error instanceof SyntaxError ? new TraceError(this.name, position, error.message) : error;
    }
  }

  /** Tasks that nobody was seen to start were there before. */
  *rest(): Generator<BodyRecord> {
    for (const [pid, lines] of this.unborn) {
      if (lines.every(({ text }) => SAYS_NOTHING.test(text ?? '---'))) continue;
      yield* this.introduce(pid);
      for (const line of lines) yield* this.take(line);
    }
  }

  /** The first task has no number on a terminal until it has a child; later on the only one that is left has none. */
  private find(pid: number): Task | undefined {
    if (pid === 0) return this.tasks.size === 1 ? [...this.tasks.values()][0] : this.tasks.get(0);
    const first = this.tasks.get(0);
    if (first !== undefined && !this.tasks.has(pid) && !this.unborn.has(pid)) {
      this.tasks.delete(0);
      this.tasks.set(pid, first);
    }
    return this.tasks.get(pid);
  }

  private wait(pid: number, lines: readonly StraceLine[]): void {
    if (!this.tasks.has(pid)) this.unborn.set(pid, [...(this.unborn.get(pid) ?? []), ...lines]);
  }

  private *introduce(pid: number): Generator<BodyRecord, Task> {
    const task: Task = { process: ++this.processes, files: new FileTable(this.files), unfinished: '', asked: null };
    this.tasks.set(pid, task);
    yield { type: 'process', process: task.process, parent: null, kind: 'spawn' };
    return task;
  }

  private *said(task: Task, pid: number, text: string): Generator<BodyRecord> {
    if (text.startsWith('+++')) {
      this.tasks.delete(this.tasks.has(pid) ? pid : [...this.tasks.keys()][0]);
      answered(task, null);
      yield { type: 'exit', process: task.process };
    }
    if (SAYS_NOTHING.test(text)) return;
    const unfinished = UNFINISHED.exec(text);
    if (unfinished !== null) {
      task.unfinished = unfinished[1];
      task.asked = askedFor(task, unfinished[1]);
      return;
    }
    const resumed = RESUMED.exec(text);
    const whole = resumed === null ? text : `${task.unfinished}${resumed[1]}`;
    const call = CALL.exec(whole);
    if (call === null) throw new SyntaxError(`'${whole.slice(0, 60)}' is no line of strace`);
    const [, name, args, result, errno] = call;
    const records = result === '?' ? [] : [...this.called(task, name, args, errno ?? result)];
    answered(task, records[0] ?? null);
    yield* records;
  }

  /** A call and its answer: a number, or the name of an errno. */
  private *called(task: Task, name: string, text: string, answer: string): Generator<BodyRecord> {
    const { process, files } = task;
    const call = recordedCall(name, text.endsWith('MLOCK_ONFAULT'));
    const failed = answer.startsWith('E');
    if (call !== null && (!failed || REFUSALS.has(answer))) {
      const args = heldArguments(call, callArguments(call, text, files), !failed);
      if (args !== null) yield { type: 'call', process, call, args, result: failed ? (answer as Errno) : Number(answer) };
    }
    if (failed) return;
    if (CHILD.test(name)) yield* this.forked(task, name, text, Number(answer));
    else if (name === 'execve' || name === 'execveat') yield { type: 'exec', process, brk: null, layout: [] };
    else files.called(name, descriptors(text), Number(answer));
  }

  private *forked(parent: Task, name: string, text: string, pid: number): Generator<BodyRecord> {
    const shares = name === 'vfork' || /CLONE_VM/.test(text);
    const files = /CLONE_FILES/.test(text) ? parent.files : parent.files.copy();
    const process = ++this.processes;
    this.tasks.set(pid, { process, files, unfinished: '', asked: null });
    const kind = !shares ? 'fork' : name === 'vfork' || /CLONE_VFORK/.test(text) ? 'vfork' : 'thread';
    yield { type: 'process', process, parent: parent.process, kind };
    const waiting = this.unborn.get(pid) ?? [];
    this.unborn.delete(pid);
    for (const line of waiting) yield* this.take(line);
  }
}

function askedFor({ process, files }: Task, text: string): Asked | null {
  const [, call, args] = /^(munmap|mremap|brk)\((.*)$/.exec(text) ?? [];
  if (call === undefined) return null;
  return { process, call: call as CallName, args: callArguments(call as CallName, args, files), answered: false, record: null };
}

function answered(task: Task, record: BodyRecord | null): void {
  if (task.asked === null) return;
  task.asked.answered = true;
  task.asked.record = record;
  task.asked = null;
}
