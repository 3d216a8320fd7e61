/* SPDX-License-Identifier: MIT */
/* expect: slabwork: malloc_usable_size(): freed pointer 0x* (malloc-80, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	void *p = opaque(malloc(80));

	free(p);
	return (int)malloc_usable_size(opaque(p));
}
