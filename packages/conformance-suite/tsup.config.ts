import { preset } from '@rmap-lab/config/tsup';
import { defineConfig } from 'tsup';

export default defineConfig({
  ...preset,
  // There is no `test` without it.
  removeNodeProtocol: false,
  entry: {
    index: 'src/index.ts',
    main: 'src/main.ts',
    process: 'src/process.ts',
    command: 'src/command.ts',
    vitest: 'src/adapters/vitest.ts',
    'node-test': 'src/adapters/node-test.ts',
    globals: 'src/adapters/globals.ts',
  },
});
