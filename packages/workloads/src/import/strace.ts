import { type Errno, TraceError } from '@rmap-lab/core';
import type { BodyRecord, CallName } from '../format.js';
import { type Files, FileTable } from './files.js';
import { symbols } from './symbols.js';

const LINE = /^(?:\[pid\s+(\d+)\]|(\d+))?\s*(?:[\d:.]+ )?(.*)$/;
const CALL = /^(\w+)\((.*)\)\s+= (-?\w+|\?)(?: (E[A-Z]+))?.*$/;
const UNFINISHED = /^(.*?)\s*<unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. \w+ resumed>\s?(.*)$/;
const CHILD = /^(?:clone|clone3|fork|vfork)$/;
const MEMORY: ReadonlySet<string> = new Set(['mmap', 'munmap', 'mprotect', 'mremap', 'madvise', 'mlock', 'munlock', 'brk']);
const ERRNOS: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EBUSY',
  'EEXIST',
  'EFAULT',
  'EINVAL',
  'ENOMEM',
  'EOVERFLOW',
  'EPERM',
  'ESRCH',
  'EACCES',
]);

interface Task {
  readonly process: number;
  readonly files: FileTable;
  /** The first half of a call that another task interrupted. */
  unfinished: string;
}

/**
 * Turns the raw output of `strace -f -e trace=memory,process` into records: system calls, processes, execs and exits. There are
 * no page faults and no layouts in it, so what exec mapped is not there when the program unmaps or protects it.
 * @throws TraceError for a line that can't be understood
 */
export async function* importStrace(
  lines: AsyncIterable<string> | Iterable<string>,
  name = 'strace',
): AsyncGenerator<BodyRecord> {
  const importer = new Importer();
  let position = 0;
  for await (const line of lines) {
    position++;
    if (line.trim() === '') continue;
    const [, bracketed, plain, text] = LINE.exec(line) as RegExpExecArray;
    try {
      yield* importer.take(Number(bracketed ?? plain ?? 0), text);
    } catch (error) {
      throw new TraceError(name, position, error instanceof Error ? error.message : String(error));
    }
  }
}

class Importer {
  private readonly tasks = new Map<number, Task>();
  private readonly files: Files = { byPath: new Map(), introduced: [] };
  private processes = 0;
  /** Without `-o` the first task's lines carry no number until it has a child. */
  private first = 0;

  *take(pid: number, text: string): Generator<BodyRecord> {
    const task = this.tasks.get(pid) ?? (pid !== 0 && this.first === 0 ? this.tasks.get(0) : undefined);
    if (text.startsWith('+++')) return yield* this.exited(pid, task);
    if (text.startsWith('---') || text.startsWith('strace:')) return;
    const unfinished = UNFINISHED.exec(text);
    const resumed = RESUMED.exec(text);
    if (unfinished !== null) {
      const born = task ?? (yield* this.introduce(pid));
      born.unfinished = unfinished[1];
      return;
    }
    const whole = resumed === null ? text : `${task?.unfinished ?? ''}${resumed[1]}`;
    const call = CALL.exec(whole);
    if (call === null) throw new SyntaxError(`'${whole.slice(0, 60)}' is no line of strace`);
    const [, name, argumentText, result, errno] = call;
    if (result === '?' || name === 'exit_group' || name === 'exit') return;
    const actor = task ?? (yield* this.introduce(pid));
    for (const record of this.called(actor, name, argumentText, result, errno)) {
      for (const [file, path] of this.files.introduced.splice(0)) yield { type: 'file', file, name: path, size: null };
      yield record;
    }
  }

  private *introduce(pid: number): Generator<BodyRecord, Task> {
    if (this.processes === 0) this.first = pid;
    const task: Task = { process: ++this.processes, files: new FileTable(this.files), unfinished: '' };
    this.tasks.set(pid, task);
    yield { type: 'process', process: task.process, parent: null, kind: 'spawn' };
    return task;
  }

  private *exited(pid: number, task: Task | undefined): Generator<BodyRecord> {
    if (task === undefined) return;
    this.tasks.delete(pid);
    yield { type: 'exit', process: task.process };
  }

  private *called(task: Task, name: string, text: string, result: string, errno: string | undefined): Generator<BodyRecord> {
    const { process } = task;
    if (CHILD.test(name) && errno === undefined) {
      const shares = name === 'vfork' || /CLONE_VM/.test(text);
      const pid = Number(result);
      this.tasks.set(pid, { process: ++this.processes, files: shares ? task.files : task.files.copy(), unfinished: '' });
      const kind = !shares ? 'fork' : name === 'vfork' || /CLONE_VFORK/.test(text) ? 'vfork' : 'thread';
      yield { type: 'process', process: this.processes, parent: process, kind };
    } else if (name === 'execve' && errno === undefined) {
      yield { type: 'exec', process, brk: null, layout: [] };
    } else if (MEMORY.has(name) && (errno === undefined || ERRNOS.has(errno))) {
      const call = name as CallName;
      const answer = errno === undefined ? Number(result) : (errno as Errno);
      yield { type: 'call', process, call, args: argumentsOf(call, text, task.files), result: answer };
    }
  }
}

/** The numbers of a call's arguments; symbols are looked up. @throws SyntaxError for a symbol that is not known */
function argumentsOf(call: CallName, text: string, files: FileTable): readonly number[] {
  const parts = text.split(/,\s*/).map((part) => (part === 'NULL' ? '0' : part));
  if (call === 'mmap') {
    const [address, length, prot, flags, fd, offset] = parts;
    const file = Number(fd.replace(/<.*/, ''));
    return [
      Number(address),
      Number(length),
      symbols(prot),
      symbols(flags),
      file < 0 ? -1 : files.ofDescriptor(file),
      Number(offset),
    ];
  }
  const counts = { munmap: 2, mprotect: 3, mremap: 5, madvise: 3, mlock: 2, munlock: 2, brk: 1 } as const;
  const numbers = parts.slice(0, counts[call]).map(symbols);
  while (numbers.length < counts[call]) numbers.push(0);
  return numbers;
}
