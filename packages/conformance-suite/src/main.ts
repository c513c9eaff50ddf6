#!/usr/bin/env node
import { conformanceCommand } from './command.js';

await conformanceCommand({ name: 'rmap-conformance', from: process.env.INIT_CWD ?? process.cwd() }).parseAsync();
