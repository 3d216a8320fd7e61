/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): interior pointer 0x*, 65536 bytes into 0x* (block of 50003968 bytes at 0x*) */
#include "abuse.h"

int main(void)
{
	free((char *)opaque(malloc(50000000)) + 65536);
	return 0;
}
