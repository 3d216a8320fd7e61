/* SPDX-License-Identifier: MIT */
/* expect: slabwork: free(): double free of 0x* (malloc-256, object * of slab 0x*) */
#include "abuse.h"

static void *free_it(void *p)
{
	free(p);
	return NULL;
}

int main(void)
{
	void *p = opaque(malloc(256));
	pthread_t t;

	if (!pthread_create(&t, NULL, free_it, p))
		pthread_join(t, NULL);
	free(opaque(p));
	return 0;
}
