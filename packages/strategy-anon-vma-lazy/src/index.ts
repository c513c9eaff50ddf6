export { type LazyOptions, presets } from './options.js';
export { anonVmaLazy } from './strategy.js';
