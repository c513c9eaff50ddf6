import type { Mutant } from '../mutant.js';
import { mutant as m3fe89b3e2a7b } from './3fe89b3e2a7b.js';
import { mutant as m38a76013ad80 } from './38a76013ad80.js';
import { mutant as m61f67c230a5e } from './61f67c230a5e.js';
import { mutant as m88c22088bf23 } from './88c22088bf23.js';
import { mutant as m012f18004da3 } from './012f18004da3.js';
import { mutant as m108d6642ad81 } from './108d6642ad81.js';
import { mutant as m657b5146955e } from './657b5146955e.js';
import { mutant as m880a99b60d46 } from './880a99b60d46.js';
import { mutant as m2555283eb40d } from './2555283eb40d.js';
import { mutant as m76545066c852 } from './76545066c852.js';
import { mutant as ma8bef8ff6ea1 } from './a8bef8ff6ea1.js';
import { mutant as mb800c91a0517 } from './b800c91a0517.js';
import { mutant as md0e9fe1758f2 } from './d0e9fe1758f2.js';
import { mutant as md9d332e0874f } from './d9d332e0874f.js';
import { mutant as mdb114b83ab60 } from './db114b83ab60.js';
import { mutant as mdc386d4d1e98 } from './dc386d4d1e98.js';
import { mutant as mdd18dbc2d42a } from './dd18dbc2d42a.js';
import { mutant as mdd34739c03f2 } from './dd34739c03f2.js';
import { mutant as mea90002b0fa7 } from './ea90002b0fa7.js';
import { mutant as meee0f252c653 } from './eee0f252c653.js';
import { mutant as mf18194275c39 } from './f18194275c39.js';

/** Real bugs of the kernel, each opened again. */
export const historical: readonly Mutant[] = [
  m2555283eb40d,
  mb800c91a0517,
  m3fe89b3e2a7b,
  mea90002b0fa7,
  md0e9fe1758f2,
  m76545066c852,
  m61f67c230a5e,
  mdb114b83ab60,
  md9d332e0874f,
  m108d6642ad81,
  m38a76013ad80,
  mdd18dbc2d42a,
  mdc386d4d1e98,
  ma8bef8ff6ea1,
  m012f18004da3,
  mf18194275c39,
  meee0f252c653,
  mdd34739c03f2,
  m88c22088bf23,
  m880a99b60d46,
  m657b5146955e,
];
