/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): interior pointer 0x*, 4096 bytes into 0x* (malloc-112k, block of 114688 bytes at 0x*) */
#include "abuse.h"

int main(void)
{
	free((char *)opaque(malloc(100000)) + 4096);
	return 0;
}
