/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free_sized(): wrong size 100 for 0x* of 64 bytes (malloc-64, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	free_sized(opaque(malloc(64)), 100);
	return 0;
}
