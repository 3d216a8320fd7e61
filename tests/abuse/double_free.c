/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): double free of 0x* (malloc-64, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	void *p = opaque(malloc(64));

	free(p);
	free(opaque(p));
	return 0;
}
