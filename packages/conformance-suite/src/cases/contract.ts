import type { ConformanceCase } from '../case.js';
import { ofHooks } from './contract/hooks.js';
import { ofTheMachine } from './contract/machine.js';
import { ofSteps } from './contract/steps.js';
import { ofWalks } from './contract/walks.js';

/** What the hooks promise by themselves, call by call. */
export const contract: readonly ConformanceCase[] = [...ofTheMachine, ...ofWalks, ...ofHooks, ...ofSteps];
