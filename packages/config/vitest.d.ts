import type { ViteUserConfig } from 'vitest/config';

export declare const preset: (name: string, options?: { readonly isolate?: boolean }) => ViteUserConfig;
