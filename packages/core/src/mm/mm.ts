import { UseAfterFree } from '../errors.js';
import type { Machine } from '../machine.js';
import { PAGES_PER_LEAF, type Table } from '../page-table/page-table.js';
import type { Process } from '../process.js';
import type { Mm as MmView, VmaView } from '../rmap/contract.js';
import { RwSemaphore } from '../sync/lock.js';
import { type Op, ready } from '../sync/op.js';
import type { Sync } from '../sync/task.js';
import type { Address, Vpn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { VmaTree } from '../vma/vma-tree.js';
import { putMm } from './exit.js';

/** One address space (mm_struct), a slab object. */
export class Mm implements MmView {
  id = 0;
  readonly tree = new VmaTree<VmArea>();
  readonly vmas: VmaView;
  readonly mmapLock: RwSemaphore;
  /** VMAs write-locked until mmap_lock is released. */
  readonly writeLocked: VmArea[] = [];
  /** Processes that use it, oldest first. */
  readonly processes: Process[] = [];
  /** 0 once the address space is gone. */
  pgd: Table = 0;
  /** Processes and pins that use the address space (mm_users); it is torn down when they are gone. */
  users = 0;
  mapCount = 0;
  startBrk = 0 as Address;
  brk = 0 as Address;
  /** The VMA that the last fault hit, and the leaf table that the last fault used: shortcuts, null and -1 when unsure. */
  lastVma: VmArea | null = null;
  private lastLeafKey = -1;
  private lastLeaf: Table = 0;

  constructor(private readonly machine: Machine) {
    this.vmas = new MmTreeView(this, machine.sync);
    this.mmapLock = new RwSemaphore(machine.sync, machine.lockStats('mmap_lock'));
  }

  /** Makes a recycled slab object a fresh address space. @throws NoMemory */
  init(id: number): void {
    this.id = id;
    this.users = 1;
    this.mapCount = 0;
    this.startBrk = this.brk = this.machine.options.startBrk;
    this.forgetShortcuts();
    this.pgd = this.machine.tables.alloc();
  }

  /** The leaf table that maps page `vpn`, or 0; the one found last is found again at once. */
  leaf(vpn: Vpn): Table {
    const key = Math.floor(vpn / PAGES_PER_LEAF);
    if (key === this.lastLeafKey) return this.lastLeaf;
    const leaf = this.machine.tables.leaf(this.pgd, vpn);
    if (leaf !== 0) {
      this.lastLeafKey = key;
      this.lastLeaf = leaf;
    }
    return leaf;
  }

  /** Whenever a table or a VMA goes. */
  forgetShortcuts(): void {
    this.lastVma = null;
    this.lastLeafKey = -1;
  }

  /** Leaves mmap_lock and with it every VMA's write lock (mmap_write_unlock). */
  writeUnlock(): void {
    for (let vma = this.writeLocked.pop(); vma !== undefined; vma = this.writeLocked.pop()) this.unlock(vma);
    this.mmapLock.writeUnlock();
  }

  /** Ends the write lock of a VMA that goes: its memory may be another's before mmap_lock is left. */
  endWrite(vma: VmArea): void {
    if (!vma.writeLocked) return;
    this.writeLocked.splice(this.writeLocked.indexOf(vma), 1);
    this.unlock(vma);
  }

  private unlock(vma: VmArea): void {
    const { sync } = this.machine;
    vma.writeLocked = false;
    sync.watch?.released(sync.current, vma, 0, true);
  }

  *tryPin(): Op<boolean> {
    if (this.machine.sync.stepping) yield { kind: 'load', object: this, label: 'mm_users' };
    if (this.users === 0) return false;
    this.users++;
    return true;
  }

  unpin(): void {
    putMm(this.machine, this);
  }
}

/** `mm_mt` as a strategy sees it: for as long as there is one. */
class MmTreeView implements VmaView {
  constructor(
    private readonly mm: Mm,
    private readonly sync: Sync,
  ) {}

  find(address: Address): Op<VmArea | null> {
    return ready(this.tree.find(address));
  }

  overlapping(start: Address, end: Address): Op<readonly VmArea[]> {
    return ready(this.tree.overlapping(start, end));
  }

  prev(vma: VmArea): VmArea | null {
    return this.tree.prev(vma);
  }

  next(vma: VmArea): VmArea | null {
    return this.tree.next(vma);
  }

  private get tree(): VmaTree<VmArea> {
    if (this.mm.pgd === 0)
      throw new UseAfterFree('mm_struct', `a look at the VMAs of address space ${this.mm.id}, which is gone`);
    this.sync.watch?.accessed(this.sync.current, this, 0, false, this.mm, 'mm_mt');
    return this.mm.tree;
  }
}
