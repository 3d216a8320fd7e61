/* SPDX-License-Identifier: MIT */
/* expect: slabwork: realloc(): interior pointer 0x*, 32 bytes into 0x* (malloc-1024, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	free(realloc((char *)opaque(malloc(1000)) + 32, 64));
	return 0;
}
