/* SPDX-License-Identifier: MIT */
/* test_llist.c - pushed by many, taken by one. Room under test: lib. */

#include <pthread.h>
#include <kunit/test.h>

#include "lib/llist.h"

#define PUSHERS 4
#define EACH    20000

struct entry {
	struct llist_node node;
	int seen;
};

static struct llist_head head = LLIST_HEAD_INIT;
static struct entry entries[PUSHERS][EACH];

static void *push_all(void *arg)
{
	struct entry *mine = arg;

	for (int i = 0; i < EACH; i++)
		llist_add(&mine[i].node, &head);
	return NULL;
}

KUNIT_TEST(everything_pushed_is_taken_exactly_once)
{
	pthread_t threads[PUSHERS];
	int taken = 0;

	for (int i = 0; i < PUSHERS; i++)
		pthread_create(&threads[i], NULL, push_all, entries[i]);
	while (taken < PUSHERS * EACH) {
		for (struct llist_node *n = llist_del_all(&head); n; n = n->next) {
			llist_entry(n, struct entry, node)->seen++;
			taken++;
		}
	}
	for (int i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < PUSHERS; i++)
		for (int j = 0; j < EACH; j++)
			KUNIT_ASSERT_EQ(test, entries[i][j].seen, 1);
	KUNIT_EXPECT_TRUE(test, llist_empty(&head));
}

KUNIT_TEST(reverse_order_is_the_order_of_pushing)
{
	struct llist_node *n;

	KUNIT_EXPECT_TRUE(test, llist_add(&entries[0][0].node, &head));
	KUNIT_EXPECT_FALSE(test, llist_add(&entries[0][1].node, &head));
	n = llist_reverse_order(llist_del_all(&head));
	KUNIT_EXPECT_PTR_EQ(test, n, &entries[0][0].node);
	KUNIT_EXPECT_PTR_EQ(test, n->next, &entries[0][1].node);
	KUNIT_EXPECT_NULL(test, n->next->next);
}
