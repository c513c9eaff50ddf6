import { PAGE_SIZE } from '@rmap-lab/core';
import type { TouchRecord, TraceRecord } from '../format.js';
import { replayCall } from './call.js';
import { replayExec } from './exec.js';
import { replayKernelAct } from './kernel-act.js';
import { UnknownReference, type World } from './world.js';

/** Does what a record says, and wants the recorded answer. @throws Mismatch, UnknownReference, and what the model throws */
export function applyRecord(world: World, record: Exclude<TraceRecord, TouchRecord>): void {
  switch (record.type) {
    case 'header':
      if (record.pageSize === PAGE_SIZE) break;
      throw new UnknownReference(`pages of ${record.pageSize} bytes were recorded, the model has pages of ${PAGE_SIZE}`);
    case 'process':
      world.introduce(record);
      break;
    case 'exec':
      replayExec(world, record);
      break;
    case 'exit':
      world.exit(record.process);
      break;
    case 'call':
      replayCall(world, record);
      break;
    case 'file':
      world.introduceFile(record);
      break;
    case 'kernel':
      replayKernelAct(world, record);
      break;
  }
}

/** The kind of operation that a record is; null for those that do nothing to a process. */
export function kindOf(record: TraceRecord): string | null {
  switch (record.type) {
    case 'process':
      return record.kind;
    case 'exec':
    case 'exit':
      return record.type;
    case 'call':
      return record.call;
    case 'touch':
      return record.write ? 'write' : 'read';
    case 'kernel':
      return record.action;
    default:
      return null;
  }
}
