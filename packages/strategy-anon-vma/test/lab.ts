import * as linux from '@rmap-lab/core';
import {
  type Address,
  addressOf,
  type FileMapping,
  Kernel,
  type KernelOptions,
  PAGE_SIZE,
  type Process,
  pageOf,
  type Vpn,
} from '@rmap-lab/core';
import { anonVma } from '../src/index.js';
import { Graph } from './graph.js';

/** Pages are counted from here. */
const BASE = 0x10_0000;
const at = (page: number): Address => addressOf((BASE + page) as Vpn);

const PROT: Record<string, number> = { ro: linux.PROT_READ, rw: 3, rwx: 7 };
const ADVICE: Record<string, number> = {
  dontneed: linux.MADV_DONTNEED,
  dontfork: linux.MADV_DONTFORK,
  dofork: linux.MADV_DOFORK,
  wipeonfork: linux.MADV_WIPEONFORK,
  guard: linux.MADV_GUARD_INSTALL,
};

/** What {@link Lab.end} says when nothing is left. */
export const NOTHING = 'anon_vma 0 anon_vma_chain 0 vm_area_struct 0 mm_struct 0';

/** What a command is about: a process and a range of pages. */
interface Range {
  readonly p: Process;
  readonly first: number;
  readonly start: Address;
  readonly bytes: number;
}
type Verb = (range: Range, ...args: string[]) => unknown;

/**
 * Runs programs written as text: commands separated by ';', each a verb, a range of pages ("10-20", or "13" for one) and
 * arguments, for process 0 unless it begins with a number and ':'. Processes are numbered as they are forked, anon_vmas and
 * page frames named A0, F0, ... as they show. After every command `verify` holds.
 */
export class Lab {
  readonly kernel: Kernel;
  private readonly processes: Process[];
  private readonly file: FileMapping;
  private graph: Graph;
  private names = new Map<string, string>();
  private named = 0;
  private readonly frames: unknown[] = [];

  constructor(options: Partial<KernelOptions> = {}) {
    this.kernel = new Kernel({ strategy: anonVma(), ...options });
    this.processes = [this.kernel.spawn()];
    this.file = this.kernel.file('data', 1000);
    this.graph = new Graph(this.kernel);
  }

  /** What the showing commands of `program` showed, joined by blanks; '|' shows itself. */
  run(program: string): string {
    return program
      .split(';')
      .map((command) => this.do(command.trim()))
      .filter((shown) => shown !== '')
      .join(' ');
  }

  /** Ends all processes and counts what is left. */
  end(): string {
    for (const process of [...this.kernel.processes].reverse()) process.exit();
    const { slab } = this.kernel.stats();
    return ['anon_vma', 'anon_vma_chain', 'vm_area_struct', 'mm_struct'].map((name) => `${name} ${slab[name].live}`).join(' ');
  }

  private do(command: string): string {
    const [, number = '0', rest] = /^(?:(\d+): *)?(.*)$/.exec(command) as RegExpExecArray;
    const [verb, where = '0', ...args] = rest.split(/ +/);
    const p = this.processes[Number(number)];
    if (/^A\d/.test(verb)) return this.anonVma(verb);
    if (verb === '|') return verb;
    const [first, last = first + 1] = where.split('-').map(Number);
    const show = this.shows[verb];
    if (show !== undefined) return show({ p, first, start: at(first), bytes: 0 }, ...args) as string;
    const call = this.calls[verb];
    if (call === undefined) throw new RangeError(`'${verb}' in '${command}' is no command`);
    call({ p, first, start: at(first), bytes: (last - first) * PAGE_SIZE }, ...args);
    this.kernel.verify();
    this.look();
    return '';
  }

  private readonly calls: Record<string, Verb> = {
    map: ({ p, start, bytes }, ...args) => {
      const file = args.find((arg) => arg.startsWith('file='))?.slice(5);
      const flags = linux.MAP_PRIVATE | (args.includes('noreserve') ? linux.MAP_NORESERVE : 0);
      const prot = PROT[args.find((arg) => arg in PROT) ?? 'rw'];
      if (file === undefined) p.mapAt(start, bytes, { prot, flags: flags | linux.MAP_ANONYMOUS });
      else p.mapAt(start, bytes, { prot, flags, file: this.file, offset: Number(file) * PAGE_SIZE });
    },
    unmap: ({ p, start, bytes }) => p.munmap(start, bytes),
    protect: ({ p, start, bytes }, prot) => p.mprotect(start, bytes, PROT[prot]),
    move: ({ p, start, bytes }, to) => {
      p.mremap(start, bytes, bytes, { flags: linux.MREMAP_MAYMOVE | linux.MREMAP_FIXED, to: at(Number(to)) });
    },
    'move-dontunmap': ({ p, start, bytes }, to) => {
      const flags = linux.MREMAP_MAYMOVE | linux.MREMAP_FIXED | linux.MREMAP_DONTUNMAP;
      p.mremap(start, bytes, bytes, { flags, to: at(Number(to)) });
    },
    grow: ({ p, start, bytes }, pages) => p.mremap(start, bytes, Number(pages) * PAGE_SIZE, { flags: 0 }),
    advise: ({ p, start, bytes }, advice) => p.madvise(start, bytes, ADVICE[advice]),
    lock: ({ p, start, bytes }) => p.mlock(start, bytes),
    unlock: ({ p, start, bytes }) => p.munlock(start, bytes),
    write: ({ p, start, bytes }) => {
      for (let offset = 0; offset < bytes; offset += PAGE_SIZE) p.write((start + offset) as Address);
    },
    read: ({ p, start }) => p.read(start),
    sbrk: ({ p, first }) => p.write((p.brk((p.brk() + first * PAGE_SIZE) as Address) - PAGE_SIZE) as Address),
    fork: ({ p }) => this.processes.push(p.fork()),
    exit: ({ p }) => p.exit(),
  };

  private readonly shows: Record<string, Verb> = {
    vmas: ({ p }) => this.vmas(p, BASE),
    heap: ({ p }) => this.vmas(p, pageOf(p.mm.startBrk)),
    kind: ({ p, start }) => p.pageAt(start).kind,
    mapcount: ({ p, start }) => String(p.pageAt(start).mapcount),
    index: ({ p, start }) => String(p.pageAt(start).index),
    frame: ({ p, start }) => {
      const { pfn } = p.pageAt(start);
      if (!this.frames.includes(pfn)) this.frames.push(pfn);
      return `F${this.frames.indexOf(pfn)}`;
    },
  };

  /** "10-20:A1@10[A1 A0]" for each VMA: range, active anon_vma, offset, and the chain, newest first, if it is longer than one. */
  private vmas(process: Process, base: number): string {
    const shown = process.vmas().map(({ id, start, end, anonPgoff, file }) => {
      const active = this.graph.active(id);
      const chain = this.graph.chain(id).map((anonVma) => this.names.get(anonVma));
      const name = active === undefined ? '-' : this.names.get(active);
      const more = chain.length > 1 ? `[${chain.join(' ')}]` : '';
      return `${pageOf(start) - base}-${pageOf(end) - base}:${name}@${file === null ? anonPgoff - base : anonPgoff}${more}`;
    });
    return shown.join(' ');
  }

  /** "A1(0,1,1)^A0": children, active VMAs, references, parent. */
  private anonVma(name: string): string {
    const found = this.graph.anonVmas.find(({ id }) => this.names.get(id) === name);
    if (found === undefined) return `${name} gone`;
    return `${name}(${found.numChildren},${found.numActiveVmas},${found.refcount})^${this.names.get(found.parent)}`;
  }

  /** Names what is new and forgets what is gone: an anon_vma's memory is used again. */
  private look(): void {
    this.graph = new Graph(this.kernel);
    const live = new Set(this.graph.anonVmas.map(({ id }) => id));
    this.names = new Map([...this.names].filter(([id]) => live.has(id)));
    for (const process of this.kernel.processes) {
      for (const { id } of process.vmas()) {
        for (const anonVma of this.graph.chain(id).reverse()) {
          if (!this.names.has(anonVma)) this.names.set(anonVma, `A${this.named++}`);
        }
      }
    }
  }
}
