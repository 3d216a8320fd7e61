/* SPDX-License-Identifier: MIT */
/* expect: slabwork: malloc_usable_size(): foreign pointer 0x* (not memory of this heap) */
#include "abuse.h"

int main(void)
{
	static char local[32];

	return (int)malloc_usable_size(opaque(local));
}
