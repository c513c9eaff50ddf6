import { messageOf } from '../errors.js';
import { entireMapcount, isLarge, pagesMapped, totalMapcount } from '../folio/mapcount.js';
import { ANON, EXCLUSIVE, KSM, SWAPCACHE } from '../folio/mem-map.js';
import type { Machine } from '../machine.js';
import { kindOf, MIGRATION, PRESENT, EXCLUSIVE as PTE_EXCLUSIVE, payloadOf, pfnOf, SWAP, WRITE } from '../page-table/pte.js';
import { type Op, run, runAlone } from '../sync/op.js';
import { addressOf, type Folio, PAGE_SIZE, type Pfn } from '../units.js';
import type { VmArea } from '../vma/vma.js';
import { drawAddressSpaces } from './draw.js';
import { type Counts, countMappings, type Mapping, mappedFolios, mappingsOf, scanTables } from './ground-truth.js';
import { lostMappings } from './lost-mappings.js';
import type { ChangeVerifier } from './verify-changes.js';
import { type WalkCost, walkFolio, walkHeld } from './walk.js';

/** What a full check found: every anonymous folio's walk against the page tables, and core's own invariants. */
export interface VerifyReport {
  /** Anonymous folios that are mapped, each walked once. */
  readonly folios: number;
  /** Entries that map them. */
  readonly mappings: number;
  /** Mappings that a walk did not find. */
  readonly missed: number;
  /** Broken invariants, and walks that broke a rule. */
  readonly wrong: number;
  /** The first few of both, in words. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 20;

/** Checks everything that holds between operations; leaves the machine as it was. */
export function check(m: Machine, changes: ChangeVerifier | null): VerifyReport {
  return m.uncounted(() => checkAll(m, changes));
}

function checkAll(m: Machine, changes: ChangeVerifier | null): VerifyReport {
  const problems: string[] = [];
  let wrong = 0;
  let missed = 0;
  const report = (text: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push(text);
  };
  const complain = (text: string): void => {
    wrong++;
    report(text);
  };
  checkVmas(m, complain);
  const counts = checkEntries(m, complain);
  if (m.tables.live !== counts.tables + m.tables.deposited)
    complain(`R15: ${m.tables.live} page tables are allocated, ${counts.tables} are in use and ${m.tables.deposited} put by`);
  changes?.compareWith(counts, complain);
  checkPages(m, counts, complain);
  checkSwap(m, complain);
  let folios = 0;
  let mappings = 0;
  for (const folio of mappedFolios(m, counts)) {
    folios++;
    mappings += counts.folios[folio];
    try {
      const cost = alone(
        m,
        walkFolio(m, folio, () => true),
      );
      const { found } = cost;
      if (found === counts.folios[folio]) continue;
      const lost = lostMappings(m, folio);
      mappings -= counts.folios[folio] - found - lost.length;
      if (lost.length === 0 && found < counts.folios[folio]) continue;
      missed += lost.length;
      report(describeMiss(m, folio, cost, lost));
    } catch (error) {
      complain(messageOf(error));
    }
  }
  for (const { folio, hold } of m.migrations.values()) {
    const truth = mappingsOf(m, folio, MIGRATION).length;
    const found = alone(
      m,
      walkHeld(m, hold, folio, () => true, { kind: MIGRATION }),
    );
    if (found === truth) continue;
    missed += truth - found;
    report(`R23: the pinned walk of folio ${folio}, under migration, found ${found} of ${truth} migration entries`);
  }
  return { folios, mappings, missed, wrong, problems };
}

const alone = <T>(m: Machine, op: Op<T>): T => (m.options.stepping ? runAlone(op) : run(op));

function describeMiss(m: Machine, folio: Folio, { found, walked }: WalkCost, lost: readonly Mapping[]): string {
  const places = lost.map(({ mm, address }) => `mm ${mm.id} at 0x${address.toString(16)}`).join(', ');
  return `R17: the walk of folio ${folio} (index ${m.mem.index[folio]}) found ${found} of ${found + lost.length} mappings and missed ${places}${walked ? '' : ', as `hold` answered GONE or BUSY'}\n${drawAddressSpaces(m)}`;
}

function checkVmas(m: Machine, complain: (text: string) => void): void {
  let attached = 0;
  for (const mm of m.mms.values()) {
    let previous: VmArea | null = null;
    let count = 0;
    try {
      mm.tree.validate();
    } catch (error) {
      complain(`mm_mt of mm ${mm.id}: ${messageOf(error)}`);
    }
    for (const vma of mm.tree.all()) {
      count++;
      if (vma.mm !== mm || !vma.attached)
        complain(`${vma} is in mm_mt of mm ${mm.id} but is ${vma.attached ? `of mm ${vma.mm.id}` : 'detached'}`);
      if (vma.file === null && vma.pgoff !== vma.anonPgoff)
        complain(`${vma} is anonymous and has offsets ${vma.pgoff} and ${vma.anonPgoff}`);
      if (vma.start >= vma.end) complain(`${vma} is empty`);
      if (previous !== null && previous.end > vma.start) complain(`${previous} overlaps ${vma}`);
      previous = vma;
    }
    if (count !== mm.mapCount) complain(`mm ${mm.id} counts ${mm.mapCount} VMAs and has ${count}`);
    attached += count;
  }
  if (m.vmas.live !== attached + m.zombies)
    complain(`R15: ${m.vmas.live} VMAs are allocated, ${attached} are mapped and ${m.zombies} are zombies`);
}

function checkEntries(m: Machine, complain: (text: string) => void): Counts {
  const { mem } = m;
  let vma: VmArea | null = null;
  return countMappings(m, (mm, vpn, pte, pages) => {
    const address = addressOf(vpn);
    if (vma === null || vma.mm !== mm || address < vma.start || address >= vma.end) vma = mm.tree.lookup(address);
    const where = `entry of mm ${mm.id} at 0x${address.toString(16)}`;
    if (vma === null) {
      complain(`${where} lies outside every VMA`);
      return;
    }
    if (address + pages * PAGE_SIZE > vma.end) complain(`${where} reaches out of ${vma}`);
    const kind = kindOf(pte);
    const pfn = pfnOf(pte);
    if (kind === MIGRATION && !m.migrations.has(mem.folioOf(pfn)))
      complain(`${where} is a migration entry of page ${pfn}, whose migration is over: its second walk missed it (R23)`);
    if (kind === SWAP && payloadOf(pte) >= m.swap.counts.length)
      complain(`${where} names swap slot ${payloadOf(pte)}, which never was`);
    if (kind !== PRESENT) return;
    if (mem.refcount[mem.folioOf(pfn)] <= 0) complain(`${where} maps page ${pfn}, which is free`);
    if ((mem.flags[pfn] & ANON) === 0) {
      const offset = vma.pgoff + (address - vma.start) / PAGE_SIZE;
      if (vma.file === null || mem.anchor[pfn] !== vma.file.id || mem.index[pfn] !== offset) {
        complain(
          `${where} maps page ${mem.index[pfn]} of file ${mem.anchor[pfn]}, the place has offset ${offset} of ${vma.file?.id ?? 'no file'}`,
        );
      }
      return;
    }
    if (!vma.faulted) complain(`${where} maps an anonymous page in an unfaulted VMA`);
    if ((mem.flags[pfn] & KSM) === 0 && mem.index[mem.folioOf(pfn)] + (pfn - mem.folioOf(pfn)) !== vma.anonIndex(address)) {
      complain(`${where} maps page ${pfn} of index ${mem.index[pfn]}, the place has offset ${vma.anonIndex(address)}`);
    }
    if ((pte & WRITE) !== 0 && !vma.shared && (mem.flags[pfn] & EXCLUSIVE) === 0)
      complain(`${where} is writable, page ${pfn} is not exclusive`);
  });
}

function checkPages(m: Machine, counts: Counts, complain: (text: string) => void): void {
  const { mem } = m;
  const cached = new Set<Pfn>();
  for (const { pages } of m.files) for (const pfn of pages.values()) cached.add(pfn);
  for (let pfn = 1; pfn < counts.ptes.length; pfn++) {
    const ptes = counts.ptes[pfn];
    if (mem.mapcount[pfn] !== ptes) complain(`page ${pfn} has map count ${mem.mapcount[pfn]}, ${ptes} entries map it`);
    const folio = mem.folioOf(pfn as Pfn);
    const mappings = ptes + counts.pmds[folio];
    // A page that a large folio lost keeps the flag until the folio goes, as in the kernel.
    const fewest = isLarge(mem, pfn as Pfn) ? 0 : 1;
    if ((mem.flags[pfn] & EXCLUSIVE) !== 0 && (mappings > 1 || mappings < fewest))
      complain(`page ${pfn} is exclusive and mapped ${mappings} times`);
    if (folio !== (pfn as number)) continue;
    const holders = (cached.has(pfn as Pfn) ? 1 : 0) + (m.migrations.has(folio) ? 1 : 0);
    const swapCache = (mem.flags[folio] & SWAPCACHE) !== 0 ? mem.pages(folio) : 0;
    const references = counts.folios[folio] + holders + swapCache;
    if (mem.refcount[pfn] !== references) complain(`folio ${pfn} has ${mem.refcount[pfn]} references, ${references} are known`);
    if (isLarge(mem, folio)) checkLarge(m, folio, counts, complain);
  }
}

/** The counters of a large folio. */
function checkLarge(m: Machine, folio: Folio, counts: Counts, complain: (text: string) => void): void {
  const { mem } = m;
  let mapped = 0;
  for (let pfn = folio as number; pfn < folio + mem.pages(folio); pfn++) if (counts.ptes[pfn] > 0) mapped++;
  const compare = (what: string, counted: number, truth: number): void => {
    if (counted !== truth) complain(`folio ${folio} counts ${counted} ${what}, there are ${truth}`);
  };
  compare('PMD mappings', entireMapcount(mem, folio), counts.pmds[folio]);
  compare('mappings', totalMapcount(mem, folio), counts.folios[folio]);
  compare('pages mapped by PTEs', pagesMapped(mem, folio), mapped);
}

/** Every slot counts its entries; an exclusive entry is the only one of its slot; what nothing names or caches is free. */
function checkSwap(m: Machine, complain: (text: string) => void): void {
  const { swap } = m;
  if (swap.counts.length === 1) return;
  const named = new Int32Array(swap.counts.length);
  scanTables(m, (_mm, _vpn, pte) => {
    if (kindOf(pte) === SWAP) named[payloadOf(pte)]++;
  });
  scanTables(m, (mm, vpn, pte) => {
    if (kindOf(pte) === SWAP && (pte & PTE_EXCLUSIVE) !== 0 && named[payloadOf(pte)] !== 1)
      complain(
        `entry of mm ${mm.id} at 0x${addressOf(vpn).toString(16)} is exclusive, ${named[payloadOf(pte)]} entries name its slot`,
      );
  });
  let live = 0;
  for (let slot = 1; slot < named.length; slot++) {
    if (named[slot] !== swap.counts[slot])
      complain(`swap slot ${slot} counts ${swap.counts[slot]} entries, ${named[slot]} name it`);
    if (named[slot] > 0 || swap.cache.has(slot)) live++;
  }
  if (live !== swap.live) complain(`${swap.live} swap slots are in use, ${live} are named or cached`);
}
