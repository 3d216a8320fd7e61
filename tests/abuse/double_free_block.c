/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): double free of 0x* (malloc-112k, block of 114688 bytes at 0x*) */
#include "abuse.h"

int main(void)
{
	void *p = opaque(malloc(100000));

	free(p);
	free(opaque(p));
	return 0;
}
