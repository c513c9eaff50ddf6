import { mutation } from '@rmap-lab/config/vitest-mutation';
import { defineConfig } from 'vitest/config';

export default defineConfig(mutation('strategy-cow-context'));
