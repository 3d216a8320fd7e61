/* SPDX-License-Identifier: MIT */
/*
 * conn.c - a cache of one's own, and what it looks like from outside
 *
 *	cc conn.c $(pkg-config --cflags --libs slabwork) -o conn && ./conn
 */
#include <slabwork/show.h>
#include <slabwork/slab.h>

struct conn {
	int fd;
	char buf[180];
};

static void conn_init(void *p)
{
	((struct conn *)p)->fd = -1;
}

int main(void)
{
	struct kmem_cache *cache =
		kmem_cache_create("conn", sizeof(struct conn), 0, SLAB_HWCACHE_ALIGN, conn_init);
	static struct conn *kept[100];
	unsigned int n = 0;

	if (!cache)
		return 1;
	for (int i = 0; i < 1000; i++) {
		struct conn *conn = kmem_cache_alloc(cache, GFP_KERNEL);

		if (!conn)
			return 1;
		if (i % 10)
			kmem_cache_free(cache, conn);
		else
			kept[n++] = conn;
	}
	sw_show(stdout, "slabinfo", "conn");
	while (n)
		kmem_cache_free(cache, kept[--n]);
	kmem_cache_destroy(cache);
	return 0;
}
