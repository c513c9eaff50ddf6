#!/usr/bin/env node
import { mindOutput } from '@rmap-lab/plumbing';
import { conformanceCommand } from './command.js';

mindOutput('rmap-conformance');
await conformanceCommand({ name: 'rmap-conformance', from: process.env.INIT_CWD ?? process.cwd() })
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parseAsync();
