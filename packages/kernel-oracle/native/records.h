/* What a look writes: records of 32-bit words, printed or only hashed. What the words mean is said in src/records.ts. */
#ifndef RECORDS_H
#define RECORDS_H
#include <stdint.h>

enum { PROCESS = 1, VMA, LINK, ANON, KSM_PAGE, ZERO, SWAP, GUARD };

#define VISIBLE_FLAGS 0xE637E90Ful /* those that the model has; VM_MAY*, VM_SOFTDIRTY, ... are left out */
#define HEAP_PAGE 0x80000000u      /* pages of the heap are counted from here, those of the arena from 0 */

void records_begin(int print);
void emit(const uint32_t *word, int n);
#define EMIT(...) emit((uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)
/* Prints the hash, if the records were not printed. */
void records_end(void);
#endif
