/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): double free of 0x* (free pages) */
#include "abuse.h"

int main(void)
{
	void *p = opaque(malloc(100000));

	free(p);
	free(opaque(p));
	return 0;
}
