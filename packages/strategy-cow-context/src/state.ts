import type { RmapServices } from '@rmap-lab/core';
import type { Choices } from './choices.js';
import { Contexts } from './contexts.js';
import { RecordMemory } from './record-memory.js';
import { AddMoveDrop, type Remaps, type VmaFields } from './remaps.js';
import { ReplaceFirst } from './remaps-poc.js';

/** What the operations of one kernel's reverse map share. */
export class State {
  readonly contexts: Contexts;
  readonly memory: RecordMemory;
  readonly remaps: Remaps;

  constructor(
    readonly services: RmapServices,
    readonly choices: Choices,
  ) {
    this.contexts = new Contexts(services, choices);
    this.memory = new RecordMemory(services);
    const fields = services.perVma((): VmaFields => ({ recorded: false, kept: false }));
    const Chosen = choices.remapPublish === 'replaceFirst' ? ReplaceFirst : AddMoveDrop;
    this.remaps = new Chosen(services, this.contexts, this.memory, fields);
  }
}
