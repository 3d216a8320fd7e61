/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): double free of 0x* (malloc-128, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	static void *p[4000];

	for (int i = 0; i < 4000; i++)
		p[i] = malloc(128);
	/* One in eight stays, so that no slab goes back to the page allocator. */
	for (int i = 0; i < 4000; i++)
		if (i % 8)
			free(p[i]);
	free(opaque(p[1999]));
	return 0;
}
