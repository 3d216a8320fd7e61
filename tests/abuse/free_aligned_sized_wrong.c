/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free_aligned_sized(): wrong alignment 3 for 0x* */
#include "abuse.h"

int main(void)
{
	free_aligned_sized(opaque(malloc(64)), 3, 64);
	return 0;
}
