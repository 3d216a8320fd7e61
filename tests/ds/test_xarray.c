/* SPDX-License-Identifier: MIT */
/* test_xarray.c - the xarray against a plain table, under readers, out of memory. Room under test: ds. */

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <kunit/test.h>

#include <slabwork/mm.h>
#include <slabwork/slab.h>
#include <slabwork/xarray.h>

#include "lib/prng.h"
#include "mm/page.h"

/* ---- the model: what is at each index, the first index and order of the entry that covers it ------- */

#define MODEL 8192

struct model {
	void *entry[MODEL];
	unsigned int first[MODEL];
	unsigned char order[MODEL];
	unsigned char marks[MODEL]; /* of the entry that begins here */
};

static void *item(uint64_t n)
{
	return (void *)(((n & 0xffffff) + 1) << 4);
}

static void model_erase(struct model *m, unsigned int i)
{
	unsigned int first = m->first[i], n = 1u << m->order[i];

	if (!m->entry[i])
		return;
	m->marks[first] = 0;
	for (unsigned int j = first; j < first + n; j++) {
		m->entry[j] = NULL;
		m->order[j] = 0;
	}
}

static void model_put(struct model *m, unsigned int i, unsigned int order, void *entry)
{
	for (unsigned int j = i; j < i + (1u << order); j++) {
		m->entry[j] = entry;
		m->first[j] = i;
		m->order[j] = (unsigned char)order;
	}
	m->marks[i] = 0;
}

static void model_store(struct model *m, unsigned int i, void *entry)
{
	unsigned int first = m->first[i], order = m->order[i];
	unsigned char marks;

	if (!m->entry[i]) {
		model_put(m, i, 0, entry);
		return;
	}
	marks = m->marks[first];
	model_put(m, first, order, entry);
	m->marks[first] = marks;
}

/* As xa_find() says. */
static void *model_find(struct model *m, unsigned int *i, unsigned int max, xa_mark_t filter)
{
	for (unsigned int j = *i; j <= max && j < MODEL; j++) {
		if (!m->entry[j])
			continue;
		if (filter != XA_PRESENT && !(m->marks[m->first[j]] >> filter & 1))
			continue;
		*i = j;
		return m->entry[j];
	}
	return NULL;
}

static void compare(struct kunit *test, struct xarray *xa, struct model *m, unsigned long base)
{
	for (unsigned int i = 0; i < MODEL; i++) {
		KUNIT_ASSERT_PTR_EQ(test, xa_load(xa, base + i), m->entry[i], "index %u", i);
		for (xa_mark_t k = 0; k < XA_MAX_MARKS; k++)
			KUNIT_ASSERT_EQ(test, xa_get_mark(xa, base + i, k),
					m->entry[i] && (m->marks[m->first[i]] >> k & 1),
					"index %u mark %u", i, k);
	}
}

static void one_insert(struct kunit *test, struct xarray *xa, struct model *m, unsigned long base,
		       struct prng *r, unsigned int i)
{
	unsigned int order = (unsigned int)prng_below(r, 11), j;
	void *entry = prng_below(r, 3) ? item(prng_u64(r)) : xa_mk_value(prng_u64(r) >> 8);
	void *shadow = &shadow, *last = NULL;
	bool pointer = false;
	int err;

	i &= ~((1u << order) - 1);
	for (j = i; j < i + (1u << order); j++)
		if (m->entry[j]) {
			pointer |= !xa_is_value(m->entry[j]);
			last = m->entry[j];
		}
	xa_lock(xa);
	err = __xa_insert_order(xa, base + i, order, entry, &shadow, GFP_KERNEL);
	xa_unlock(xa);
	KUNIT_ASSERT_EQ(test, err, pointer ? -EEXIST : 0, "index %u order %u", i, order);
	if (err)
		return;
	KUNIT_ASSERT_PTR_EQ(test, shadow, last);
	for (j = i; j < i + (1u << order); j++)
		model_erase(m, j);
	model_put(m, i, order, entry);
	KUNIT_ASSERT_EQ(test, xa_get_order(xa, base + i + (1u << order) / 2), order);
}

static void one_find(struct kunit *test, struct xarray *xa, struct model *m, unsigned long base,
		     struct prng *r, unsigned int i)
{
	xa_mark_t filter = prng_below(r, 4) ? (xa_mark_t)prng_below(r, 3) : XA_PRESENT;
	unsigned int max = i + (unsigned int)prng_below(r, MODEL - i), at = i;
	unsigned long index = base + i;
	void *want = model_find(m, &at, max, filter);

	KUNIT_ASSERT_PTR_EQ(test, xa_find(xa, &index, base + max, filter), want,
			    "from %u to %u filter %u", i, max, filter);
	KUNIT_ASSERT_EQ(test, index, base + at);
	if (m->entry[i])
		at = m->first[i] + (1u << m->order[i]);
	else
		at = i + 1;
	index = base + i;
	want = model_find(m, &at, max, filter);
	KUNIT_ASSERT_PTR_EQ(test, xa_find_after(xa, &index, base + max, filter), want);
	if (want)
		KUNIT_ASSERT_EQ(test, index, base + at);
}

static void one_mark(struct xarray *xa, struct model *m, unsigned long base, struct prng *r,
		     unsigned int i)
{
	xa_mark_t mark = (xa_mark_t)prng_below(r, XA_MAX_MARKS);

	if (prng_below(r, 3)) {
		xa_set_mark(xa, base + i, mark);
		if (m->entry[i])
			m->marks[m->first[i]] |= (unsigned char)(1u << mark);
	} else {
		xa_clear_mark(xa, base + i, mark);
		if (m->entry[i])
			m->marks[m->first[i]] &= (unsigned char)~(1u << mark);
	}
}

static void one_replace(struct kunit *test, struct xarray *xa, struct model *m, unsigned long base,
			struct prng *r, unsigned int i)
{
	void *old = m->entry[i];
	void *entry = prng_below(r, 2) ? xa_mk_value(prng_u64(r) >> 9) : item(prng_u64(r));
	unsigned int first = m->first[i];
	unsigned char marks = old ? m->marks[first] : 0;
	int err;

	xa_lock(xa);
	KUNIT_ASSERT_EQ(test, __xa_replace(xa, base + i, item(1ul << 23), entry), -ENOENT);
	err = __xa_replace(xa, base + i, old, entry);
	xa_unlock(xa);
	KUNIT_ASSERT_EQ(test, err, old ? 0 : -ENOENT);
	if (err)
		return;
	model_put(m, first, m->order[i], entry);
	m->marks[first] = xa_is_value(entry) ? 0 : marks;
}

static void one_halve(struct kunit *test, struct xarray *xa, struct model *m, unsigned long base,
		      struct prng *r, unsigned int i)
{
	void *upper = item(prng_u64(r)), *old = m->entry[i];
	unsigned int first = m->first[i], order = m->order[i];
	unsigned char marks = old ? m->marks[first] : 0;
	bool can = old && !xa_is_value(old) && order;
	int err;

	xa_lock(xa);
	err = __xa_halve(xa, base + i, upper, GFP_KERNEL);
	xa_unlock(xa);
	KUNIT_ASSERT_EQ(test, err, can ? 0 : -EINVAL);
	if (!can)
		return;
	model_put(m, first, order - 1, old);
	model_put(m, first + (1u << (order - 1)), order - 1, upper);
	m->marks[first] = m->marks[first + (1u << (order - 1))] = marks;
}

static void one_op(struct kunit *test, struct xarray *xa, struct model *m, unsigned long base,
		   struct prng *r, unsigned int window)
{
	unsigned int i = (unsigned int)prng_below(r, window);
	void *entry = item(prng_u64(r)), *got;

	switch (prng_below(r, 10)) {
	case 0:
		got = xa_store(xa, base + i, entry, GFP_KERNEL);
		KUNIT_ASSERT_PTR_EQ(test, got, m->entry[i]);
		model_store(m, i, entry);
		break;
	case 1:
	case 2:
		KUNIT_ASSERT_PTR_EQ(test, xa_erase(xa, base + i), m->entry[i]);
		model_erase(m, i);
		break;
	case 3:
		KUNIT_ASSERT_EQ(test, xa_insert(xa, base + i, entry, GFP_KERNEL),
				m->entry[i] ? -EBUSY : 0);
		if (!m->entry[i])
			model_put(m, i, 0, entry);
		break;
	case 4:
		one_insert(test, xa, m, base, r, i);
		break;
	case 5:
		one_mark(xa, m, base, r, i);
		break;
	case 6:
		one_find(test, xa, m, base, r, i);
		break;
	case 7:
		one_replace(test, xa, m, base, r, i);
		break;
	case 8:
		one_halve(test, xa, m, base, r, i);
		break;
	case 9:
		got = xa_cmpxchg(xa, base + i, item(7), entry, GFP_KERNEL);
		KUNIT_ASSERT_PTR_EQ(test, got, m->entry[i]);
		if (got == item(7))
			model_store(m, i, entry);
		break;
	}
}

static void run_model(struct kunit *test, unsigned long base, int ops)
{
	static struct model m;
	struct xarray xa;
	struct prng r;
	unsigned int window = MODEL;

	prng_seed(&r, kunit_seed(test) ^ base);
	memset(&m, 0, sizeof(m));
	xa_init(&xa);
	for (int n = 0; n < ops; n++) {
		const char *bad;

		if (n % 2000 == 0)
			window = 1u << prng_below(&r, 14);
		one_op(test, &xa, &m, base, &r, window);
		if (n % 16 == 0) {
			bad = sw_xa_validate(&xa);
			KUNIT_ASSERT_TRUE_MSG(test, !bad, "after %d: %s", n, bad);
		}
		if (n % 4096 == 0)
			compare(test, &xa, &m, base);
	}
	compare(test, &xa, &m, base);
	for (unsigned int i = 0; i < MODEL; i++)
		xa_erase(&xa, base + i);
	KUNIT_EXPECT_TRUE(test, xa_empty(&xa));
	for (xa_mark_t k = 0; k < XA_MAX_MARKS; k++)
		KUNIT_EXPECT_FALSE(test, xa_marked(&xa, k));
}

KUNIT_TEST(any_sequence_of_calls_does_what_a_table_does, .timeout_s = 300)
{
	run_model(test, 0, 60000);
	run_model(test, 1ul << 30, 30000);
	run_model(test, 0x7fffffffffff0000ul & ~(unsigned long)(MODEL - 1), 30000);
	run_model(test, 0ul - MODEL, 30000);
}

KUNIT_TEST(far_indices_stand_beside_near_ones)
{
	static const unsigned long at[] = { 0, 1, 63, 64, 4095, 1ul << 32, ~0ul - 1, ~0ul };
	struct xarray xa;
	unsigned long index;
	void *entry;
	unsigned int nr = 0;

	xa_init(&xa);
	for (unsigned int i = 0; i < 8; i++) {
		KUNIT_ASSERT_EQ(test, xa_insert(&xa, at[i], item(i), GFP_KERNEL), 0);
		KUNIT_ASSERT_TRUE(test, !sw_xa_validate(&xa));
	}
	xa_for_each(&xa, index, entry)
	{
		KUNIT_EXPECT_EQ(test, index, at[nr]);
		KUNIT_EXPECT_PTR_EQ(test, entry, item(nr));
		nr++;
	}
	KUNIT_EXPECT_EQ(test, nr, 8);
	xa_destroy(&xa);
	KUNIT_EXPECT_TRUE(test, xa_empty(&xa));
}

KUNIT_TEST(an_entry_that_is_no_entry_is_refused)
{
	struct xarray xa;

	xa_init(&xa);
	KUNIT_EXPECT_EQ(test, xa_err(xa_store(&xa, 3, (void *)6ul, GFP_KERNEL)), -EINVAL);
	xa_lock(&xa);
	KUNIT_EXPECT_EQ(test, __xa_insert_order(&xa, 3, 2, item(1), NULL, GFP_KERNEL), -EINVAL);
	xa_unlock(&xa);
	KUNIT_EXPECT_TRUE(test, xa_empty(&xa));
}

KUNIT_TEST(the_radix_tree_words_work)
{
	struct radix_tree_root root;

	INIT_RADIX_TREE(&root, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, radix_tree_insert(&root, 77, item(1)), 0);
	KUNIT_EXPECT_EQ(test, radix_tree_insert(&root, 77, item(2)), -EEXIST);
	KUNIT_EXPECT_PTR_EQ(test, radix_tree_lookup(&root, 77), item(1));
	KUNIT_EXPECT_TRUE(test, xa_is_node(root.rnode));
	KUNIT_EXPECT_PTR_EQ(test, radix_tree_delete(&root, 77), item(1));
	KUNIT_EXPECT_TRUE(test, xa_empty(&root));
}

/* ---- no memory for a node ---------------------------------------------------------------------------- */

/* The array's own cache: what we take of it, nodes lack. */
static struct kmem_cache *nodes;

struct taken {
	struct taken *next;
};
static struct taken *taken;

static void take_all(void)
{
	struct taken *t;

	while ((t = kmem_cache_alloc(nodes, GFP_NOWAIT | __GFP_NOWARN))) {
		t->next = taken;
		taken = t;
	}
}

static void give(unsigned int nr)
{
	while (nr--) {
		struct taken *t = taken;

		taken = t->next;
		kmem_cache_free(nodes, t);
	}
}

static void no_more_memory(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_AS, &none);
	take_all();
}

/* Try with 0, 1, 2 … nodes until it works: before that nothing has changed. Return: the nodes it took. */
static unsigned int until_it_works(struct kunit *test, struct xarray *xa, unsigned long index,
				   unsigned int order, gfp_t gfp)
{
	for (unsigned int nr = 0; nr < 30; nr++) {
		const char *bad;
		int err;

		give(nr);
		xa_lock(xa);
		err = __xa_insert_order(xa, index, order, item(index), NULL, gfp);
		xa_unlock(xa);
		bad = sw_xa_validate(xa);
		KUNIT_ASSERT_TRUE_MSG(test, !bad, "%u nodes: %s", nr, bad);
		KUNIT_ASSERT_PTR_EQ(test, xa_load(xa, 0), item(5));
		if (!err) {
			KUNIT_EXPECT_PTR_EQ(test, xa_load(xa, index + (1ul << order) - 1),
					    item(index));
			take_all();
			return nr;
		}
		KUNIT_ASSERT_EQ(test, err, -ENOMEM);
		KUNIT_ASSERT_NULL(test, xa_load(xa, index));
		take_all();
	}
	return ~0u;
}

KUNIT_TEST(without_a_node_nothing_changes)
{
	struct xarray xa;

	xa_init(&xa);
	KUNIT_ASSERT_NULL(test, xa_store(&xa, 1, item(1), GFP_KERNEL));
	nodes = ((struct page *)virt_to_head_page(xa_to_node(xa.xa_head)))->slab_cache;
	KUNIT_EXPECT_EQ(test, kmem_cache_size(nodes),
			sizeof(struct xa_node)); /* not a general one */
	xa_destroy(&xa);
	rcu_barrier();
	no_more_memory();
	KUNIT_ASSERT_NOT_NULL(test, taken);
	/* Index 0 needs none. */
	KUNIT_EXPECT_EQ(test, xa_insert(&xa, 0, item(5), GFP_NOWAIT), 0);
	KUNIT_EXPECT_EQ(test, until_it_works(test, &xa, 63, 0, GFP_NOWAIT), 1);
	KUNIT_EXPECT_EQ(test, until_it_works(test, &xa, 64, 0, GFP_NOWAIT), 2);
	KUNIT_EXPECT_EQ(test, until_it_works(test, &xa, 128, 7, GFP_NOWAIT), 0);
	KUNIT_EXPECT_EQ(test, until_it_works(test, &xa, 1ul << 30, 0, GFP_NOWAIT), 9);
	KUNIT_EXPECT_EQ(test, xa_err(xa_store(&xa, ~0ul, item(2), GFP_NOWAIT)), -ENOMEM);
	KUNIT_EXPECT_EQ(test, xa_err(xa_cmpxchg(&xa, ~0ul, NULL, item(2), GFP_NOWAIT)), -ENOMEM);
	KUNIT_EXPECT_EQ(test, xa_insert(&xa, ~0ul, item(2), GFP_NOWAIT), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, !sw_xa_validate(&xa));
	/* What needs no node works. */
	KUNIT_EXPECT_PTR_EQ(test, xa_store(&xa, 64, item(9), 0), item(64));
	KUNIT_EXPECT_PTR_EQ(test, xa_erase(&xa, 1ul << 30), item(1ul << 30));
}

/* ---- readers beside a writer --------------------------------------------------------------------------- */

static struct xarray shared;
static _Atomic bool done;
static _Atomic unsigned long wrong;

/* An even index that is never touched must always be there; what is at an odd one is it or nothing. */
static void *reader(void *arg)
{
	struct prng r;

	prng_seed(&r, (uintptr_t)arg);
	while (!atomic_load(&done)) {
		unsigned long i = prng_below(&r, 65536), index = i;
		void *entry = xa_load(&shared, i);

		if (i % 512 == 0 ? entry != item(i) :
				   entry && entry != item(i) && entry != item(i & ~63ul))
			atomic_fetch_add(&wrong, 1);
		/* From any index the next fixed one is at most 512 away. */
		entry = xa_find(&shared, &index, ~0ul, XA_PRESENT);
		if (i <= 65024 && (!entry || index > ((i + 511) & ~511ul)))
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

KUNIT_TEST(readers_see_what_is_there_while_the_tree_changes, .timeout_s = 120)
{
	pthread_t t[2];
	struct prng r;

	prng_seed(&r, kunit_seed(test));
	xa_init(&shared);
	for (unsigned long i = 0; i < 65536; i += 512)
		KUNIT_ASSERT_EQ(test, xa_insert(&shared, i, item(i), GFP_KERNEL), 0);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, reader, (void *)(uintptr_t)(i + 1));
	for (int n = 0; n < 150000; n++) {
		unsigned long i = prng_below(&r, 65536);

		if (i % 512 == 0)
			continue;
		if (prng_below(&r, 2)) {
			unsigned long at = i & ~63ul;

			xa_lock(&shared);
			if (at % 512)
				(void)!__xa_insert_order(&shared, at, 6, item(at), NULL,
							 GFP_KERNEL);
			xa_unlock(&shared);
		} else {
			(void)!xa_insert(&shared, i, item(i), GFP_KERNEL);
		}
		xa_erase(&shared, prng_below(&r, 128) * 512 + 1 + prng_below(&r, 511));
	}
	atomic_store(&done, true);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	KUNIT_EXPECT_EQ(test, atomic_load(&wrong), 0);
	KUNIT_EXPECT_TRUE(test, !sw_xa_validate(&shared));
	xa_destroy(&shared);
}
