import type { Folio, RmapServices } from '@rmap-lab/core';

/** Lets walks of a folio start from `word`; one that started elsewhere is rewritten (folio_move_anon_rmap, UFFDIO_MOVE). */
export function setAnchor(services: RmapServices, folio: Folio, word: number): void {
  const { folios } = services;
  const old = folios.anchor(folio);
  if (old !== 0 && old !== word) services.count('folio-rewritten');
  folios.setAnchor(folio, word);
}
