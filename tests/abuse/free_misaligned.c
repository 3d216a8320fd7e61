/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): interior pointer 0x*, 1 bytes into 0x* (malloc-64, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	free((char *)opaque(malloc(64)) + 1);
	return 0;
}
