import { format } from 'node:util';
import { afterAll, afterEach, beforeEach } from 'vitest';

/** Output that no test asked for is a failure: a test that expects some replaces the method with `vi.spyOn`. */
const methods = ['debug', 'dir', 'error', 'info', 'log', 'table', 'trace', 'warn'];
let printed = [];

function listen() {
  for (const method of methods) console[method] = (...args) => printed.push(`console.${method}: ${format(...args)}`);
}

function check() {
  const lines = printed;
  printed = [];
  if (lines.length > 0) throw new Error(`unexpected console output\n${lines.join('\n')}`);
}

listen();
beforeEach(listen);
afterEach(check);
afterAll(check);
