/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): double free of 0x* (malloc-32, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	char *p = opaque(malloc(32)), *q = opaque(malloc(32));

	/* What lies behind an object is another object: nothing of ours to overwrite. */
	memset(p, 0x41, 512);
	free(q);
	free(opaque(q));
	return 0;
}
