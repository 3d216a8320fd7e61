/* SPDX-License-Identifier: MIT */
/* test_list.c - rings and chains. Room under test: lib. */

#include <kunit/test.h>

#include "lib/list.h"

struct item {
	int value;
	struct list_head list;
	struct hlist_node hash;
};

/* The list's values as decimal digits, checked backwards too. */
static int digits(struct list_head *head)
{
	struct item *item;
	int forward = 0, backward = 0, power = 1;

	list_for_each_entry(item, head, list)
		forward = forward * 10 + item->value;
	list_for_each_entry_reverse(item, head, list) {
		backward += item->value * power;
		power *= 10;
	}
	return forward == backward ? forward : -1;
}

static void fill(struct list_head *head, struct item *items, int from, int to)
{
	INIT_LIST_HEAD(head);
	for (int i = from; i <= to; i++) {
		items[i].value = i;
		list_add_tail(&items[i].list, head);
	}
}

KUNIT_TEST(list_add_puts_first_and_list_add_tail_last)
{
	struct item items[10];
	LIST_HEAD(head);

	KUNIT_EXPECT_TRUE(test, list_empty(&head));
	items[0].value = 7;
	list_add(&items[0].list, &head);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&head));
	items[1].value = 8;
	list_add(&items[1].list, &head);
	items[2].value = 9;
	list_add_tail(&items[2].list, &head);
	KUNIT_EXPECT_EQ(test, digits(&head), 879);
	KUNIT_EXPECT_TRUE(test, list_is_first(&items[1].list, &head));
	KUNIT_EXPECT_TRUE(test, list_is_last(&items[2].list, &head));
	KUNIT_EXPECT_FALSE(test, list_is_singular(&head));
}

KUNIT_TEST(list_del_poisons_and_list_del_init_empties)
{
	struct item items[10];
	struct list_head head;

	fill(&head, items, 1, 4);
	list_del(&items[2].list);
	KUNIT_EXPECT_PTR_EQ(test, items[2].list.next, LIST_POISON1);
	KUNIT_EXPECT_PTR_EQ(test, items[2].list.prev, LIST_POISON2);
	list_del_init(&items[4].list);
	KUNIT_EXPECT_TRUE(test, list_empty(&items[4].list));
	KUNIT_EXPECT_EQ(test, digits(&head), 13);
}

KUNIT_TEST(list_move_and_replace_keep_the_ring)
{
	struct item items[10];
	struct list_head head;

	fill(&head, items, 1, 4);
	list_move(&items[3].list, &head);
	KUNIT_EXPECT_EQ(test, digits(&head), 3124);
	list_move_tail(&items[1].list, &head);
	KUNIT_EXPECT_EQ(test, digits(&head), 3241);
	items[9].value = 9;
	list_replace(&items[2].list, &items[9].list);
	KUNIT_EXPECT_EQ(test, digits(&head), 3941);
}

KUNIT_TEST(list_splice_joins_in_order)
{
	struct item items[10];
	struct list_head a, b;

	fill(&a, items, 1, 3);
	fill(&b, items, 4, 5);
	list_splice_init(&b, &a);
	KUNIT_EXPECT_EQ(test, digits(&a), 45123);
	KUNIT_EXPECT_TRUE(test, list_empty(&b));
	fill(&b, items, 6, 7);
	list_splice_tail_init(&b, &a);
	KUNIT_EXPECT_EQ(test, digits(&a), 4512367);
	list_splice_init(&b, &a);
	KUNIT_EXPECT_EQ(test, digits(&a), 4512367);
}

KUNIT_TEST(safe_walk_may_delete)
{
	struct item items[10], *item, *next;
	struct list_head head;

	fill(&head, items, 1, 5);
	list_for_each_entry_safe(item, next, &head, list)
		if (item->value % 2)
			list_del(&item->list);
	KUNIT_EXPECT_EQ(test, digits(&head), 24);
	list_for_each_entry_safe(item, next, &head, list)
		list_del(&item->list);
	KUNIT_EXPECT_NULL(test, list_first_entry_or_null(&head, struct item, list));
}

KUNIT_TEST(hlist_deletes_from_anywhere)
{
	struct hlist_head head = HLIST_HEAD_INIT;
	struct hlist_node *next;
	struct item items[4], *item;
	int sum = 0;

	for (int i = 0; i < 4; i++) {
		items[i].value = 1 << i;
		hlist_add_head(&items[i].hash, &head);
	}
	hlist_del_init(&items[3].hash); /* the first */
	hlist_del_init(&items[1].hash); /* in between */
	hlist_del_init(&items[1].hash); /* a second time: nothing */
	KUNIT_EXPECT_TRUE(test, hlist_unhashed(&items[1].hash));
	hlist_for_each_entry(item, &head, hash)
		sum += item->value;
	KUNIT_EXPECT_EQ(test, sum, 1 + 4);
	hlist_for_each_entry_safe(item, next, &head, hash)
		hlist_del_init(&item->hash);
	KUNIT_EXPECT_TRUE(test, hlist_empty(&head));
}
