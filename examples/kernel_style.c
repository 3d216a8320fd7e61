/* SPDX-License-Identifier: MIT */
/*
 * kernel_style.c - code that says <linux/slab.h>, unmodified
 *
 *	cc -I$(pkg-config --variable=kernelinclude slabwork) kernel_style.c \
 *	   $(pkg-config --cflags --libs slabwork) -o kernel_style && ./kernel_style
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <stdio.h>

struct item {
	struct item *next;
	char *name;
};

static struct item *push(struct item *list, const char *name)
{
	struct item *item = kmalloc(sizeof(*item), GFP_KERNEL);

	if (!item)
		return list;
	item->name = kstrdup(name, GFP_KERNEL);
	item->next = list;
	return item;
}

int main(void)
{
	static const char *const names[] = { "buddy", "slab", "sheaf", "barn" };
	struct item *list = NULL;
	char *big = vzalloc(8UL << 20);
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 3);

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		list = push(list, names[i]);
	for (struct item *item = list; item; item = item->next)
		printf("%s (%zu bytes usable)\n", item->name, ksize(item->name));
	printf("vmalloc: %s, pages: order %u\n", is_vmalloc_addr(big) ? "yes" : "no",
	       compound_order(page));
	while (list) {
		struct item *next = list->next;

		kfree(list->name);
		kfree(list);
		list = next;
	}
	__free_pages(page, 3);
	vfree(big);
	return 0;
}
