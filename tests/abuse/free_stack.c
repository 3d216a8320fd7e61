/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): foreign pointer 0x* (not memory of this heap) */
#include "abuse.h"

int main(void)
{
	char local[32];

	free(opaque(local));
	return 0;
}
