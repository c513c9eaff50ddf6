import type { Machine } from '../machine.js';
import { ENTRIES, PAGES_PER_LEAF } from '../page-table/page-table.js';
import { kindOf, PRESENT, type Pte, pfnOf, WRITE, ZERO } from '../page-table/pte.js';
import { type Address, addressOf, pageOf, type Vpn } from '../units.js';
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from '../vma/vm-flags.js';
import type { VmArea } from '../vma/vma.js';

const MAX_PAGES = 16;

/** A picture of every address space: a line a VMA, with the frames its first pages map (`7w` writable, `7` read-only, `z` zero page, `-` none). */
export function drawAddressSpaces(m: Machine): string {
  const lines: string[] = [];
  for (const mm of m.mms.values()) {
    lines.push(`mm ${mm.id}:`);
    for (const vma of mm.tree) lines.push(`  ${drawVma(m, vma)}`);
  }
  return lines.join('\n');
}

function drawVma(m: Machine, vma: VmArea): string {
  const bit = (flag: number, letter: string): string => ((vma.flags & flag) !== 0 ? letter : '-');
  const access = bit(VM_READ, 'r') + bit(VM_WRITE, 'w') + bit(VM_EXEC, 'x') + ((vma.flags & VM_SHARED) !== 0 ? 's' : 'p');
  const pages: string[] = [];
  const last = Math.min(vma.pages, MAX_PAGES);
  for (let i = 0; i < last; i++) pages.push(drawEntry(m, vma, addressOf((pageOf(vma.start) + i) as ReturnType<typeof pageOf>)));
  const more = vma.pages > last ? ` +${vma.pages - last}` : '';
  const state = vma.faulted ? 'faulted' : 'unfaulted';
  return `0x${vma.start.toString(16)}-0x${vma.end.toString(16)} ${access} offset ${vma.anonPgoff} ${state}: ${pages.join(' ')}${more}`;
}

function drawEntry(m: Machine, vma: VmArea, address: Address): string {
  const vpn = pageOf(address);
  const huge = m.tables.huge(vma.mm.pgd, vpn);
  if (huge !== 0) return drawPmd(m.tables.entries[huge], vpn);
  const leaf = m.tables.leaf(vma.mm.pgd, vpn);
  const pte = leaf === 0 ? 0 : m.tables.entries[leaf * ENTRIES + (vpn & (ENTRIES - 1))];
  if (kindOf(pte) === ZERO) return 'z';
  if (kindOf(pte) !== PRESENT) return pte === 0 ? '-' : `?${kindOf(pte)}`;
  return `${pfnOf(pte)}${(pte & WRITE) !== 0 ? 'w' : ''}`;
}

/** A page of memory that a PMD entry maps. */
function drawPmd(pmd: Pte, vpn: Vpn): string {
  if (kindOf(pmd) === ZERO) return 'Z';
  return `${pfnOf(pmd) + (vpn % PAGES_PER_LEAF)}${(pmd & WRITE) !== 0 ? 'W' : 'P'}`;
}
