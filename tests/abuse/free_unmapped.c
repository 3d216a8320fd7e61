/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): foreign pointer 0x123456789abc (not memory of this heap) */
#include "abuse.h"

int main(void)
{
	free(opaque((void *)0x123456789abcUL));
	return 0;
}
