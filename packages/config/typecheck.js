#!/usr/bin/env node
// TypeScript 7 checks eight times as fast as 6, whose API tsup and typedoc need.
await import(new URL('lib/tsc.js', import.meta.resolve('typescript-7/package.json')).href);
