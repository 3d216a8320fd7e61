/* SPDX-License-Identifier: MIT */
/* expect: slabwork: realloc(): foreign pointer 0x* (not memory of this heap) */
#include "abuse.h"

int main(void)
{
	static char local[32];

	free(realloc(opaque(local), 64));
	return 0;
}
