/* What the kernel did: VMAs, anon_vma graph, pages, object counts. */
#ifndef LOOK_H
#define LOOK_H

void look_init(const char *bpf_object);
int look_attach(int pid); /* a VMA iterator for this process */
/* Looks at `n` processes in this order; prints the records, each with a semicolon behind it, or else a hash of them. */
void look(const int slots[], int n, int print);

void counts_init(int pid);      /* start counting for the task name of this process */
void counts_read(long live[3]); /* vm_area_struct, anon_vma, anon_vma_chain */
#endif
