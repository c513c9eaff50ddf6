export { anonVma } from './strategy.js';
