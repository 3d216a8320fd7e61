/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): double free of 0x* (malloc-32, object * of slab 0x*) */
#include "abuse.h"

int main(void)
{
	char *p = opaque(malloc(32));

	free(p);
	memset(opaque(p), 0x41, 32);
	free(opaque(malloc(32)));
	free(opaque(malloc(33)));
	free(opaque(p));
	return 0;
}
