import { type Kernel, PAGE_SIZE, type VmaInfo } from '@rmap-lab/core';
import { Graph } from './graph.js';

/** What holds between operations for chains, trees and counters, beyond what the walks show; the first thing that doesn't, or null. */
export function brokenInvariant(kernel: Kernel): string | null {
  const graph = new Graph(kernel);
  const vmas = new Map(kernel.processes.flatMap((process) => process.vmas()).map((vma) => [vma.id, vma]));
  const { slab, migrations, ksm } = kernel.stats();
  const broken = [
    ...[...vmas.values()].flatMap((vma) => vmaFaults(graph, vma)),
    ...anonVmaFaults(graph, [...vmas.keys()]),
    ...fault(
      pinsOf(graph) !== migrations + ksm.items,
      `${pinsOf(graph)} pins for ${migrations} migrations and ${ksm.items} places of KSM`,
    ),
    ...fault(slab.anon_vma.live !== graph.anonVmas.length, 'an anon_vma without references is allocated'),
    ...fault(slab.anon_vma_chain.live !== graph.links.length, 'a link is allocated and in no tree'),
    ...fault(
      graph.links.some(({ vma }) => !vmas.has(vma)),
      'a link leads to a VMA that is not mapped',
    ),
  ];
  return broken[0] ?? null;
}

const fault = (broken: boolean, text: string): string[] => (broken ? [text] : []);

function vmaFaults(graph: Graph, { id, start, end, anonPgoff, faulted }: VmaInfo): string[] {
  const active = graph.active(id);
  const chain = graph.chain(id);
  const last = anonPgoff + (end - start) / PAGE_SIZE - 1;
  return [
    ...fault(faulted !== chain.length > 0, `VMA ${id} is ${faulted ? '' : 'un'}faulted and has ${chain.length} links`),
    ...fault(faulted !== (active !== undefined), `VMA ${id} is ${faulted ? '' : 'un'}faulted, its anon_vma is ${active}`),
    ...fault(active !== undefined && !chain.includes(active), `VMA ${id} is not linked to its own ${active}`),
    ...fault(new Set(chain).size < chain.length, `VMA ${id} is linked to an anon_vma twice`),
    ...fault(new Set(chain.map((each) => graph.byId(each).root)).size > 1, `VMA ${id} belongs to two families`),
    ...fault(
      chain.length > 0 && graph.byId(chain[0]).root !== chain[chain.length - 1],
      `the oldest link of VMA ${id} is not to the root`,
    ),
    ...fault(
      graph.links.some((link) => link.vma === id && (link.first !== anonPgoff || link.last !== last)),
      `VMA ${id} is keyed by another range than its own`,
    ),
  ];
}

/** References of an anon_vma beyond those of its tree and, for a root, of its family. */
const pins = ({ refcount, links }: { refcount: number; links: number }, members: number): number =>
  refcount - (links > 0 ? 1 : 0) - members;

/** Pins of all of them. */
const pinsOf = (graph: Graph): number =>
  graph.anonVmas.reduce((sum, anonVma) => {
    const members = graph.anonVmas.filter((other) => other.root === anonVma.id && other.id !== anonVma.id).length;
    return sum + pins(anonVma, members);
  }, 0);

function anonVmaFaults(graph: Graph, vmas: readonly number[]): string[] {
  return graph.anonVmas.flatMap(({ id, refcount, numChildren, numActiveVmas, root, parent, links }) => {
    const own = vmas.filter((vma) => graph.active(vma) === id);
    const members = graph.anonVmas.filter((other) => other.root === id && other.id !== id).length;
    // One that only a pin keeps was taken off its parent's count when its tree became empty (unlink_anon_vmas).
    const children = graph.anonVmas.filter((other) => other.parent === id && other.links > 0).length;
    return [
      ...fault(links === 0 && pins({ refcount, links }, members) === 0 && members === 0, `${id} has an empty tree and no pin`),
      ...fault(
        pins({ refcount, links }, members) < 0,
        `${id} has ${refcount} references for ${members} other members of its family`,
      ),
      ...fault(numChildren !== children, `${id} counts ${numChildren} children and has ${children}`),
      ...fault(numActiveVmas !== own.length, `${id} counts ${numActiveVmas} VMAs of its own and has ${own.length}`),
      ...fault(graph.byId(parent).root !== root || graph.byId(root).root !== root, `${id} and its parent have different roots`),
      ...fault(
        new Set(own.map((vma) => graph.chain(vma).sort().join())).size > 1,
        `two VMAs that share ${id} are linked to different sets`,
      ),
    ];
  });
}
