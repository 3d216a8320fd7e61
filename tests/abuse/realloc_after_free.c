/* SPDX-License-Identifier: MIT */
/* expect: slabwork: realloc(): double free of 0x* (malloc-48, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	void *p = opaque(malloc(48));

	free(p);
	free(realloc(opaque(p), 100));
	return 0;
}
