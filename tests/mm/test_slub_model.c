/* SPDX-License-Identifier: MIT */
/*
 * test_slub_model.c - random work against a naive twin
 *
 * The twin is an array of what we hold: pointer, size, pattern. After each step it must be
 * true that no two objects overlap, that every byte is as it was written, that the caches'
 * own invariants hold and that the counts agree. The threads' form hands objects from one
 * thread to another; each carries a tag that its freer checks.
 */

#include "slab_test.h"

#include <pthread.h>
#include <sched.h>

#define HELD_MAX  6000
#define STEPS     120000
#define NR_CACHES 9

static const unsigned int sizes[NR_CACHES] = { 8, 16, 24, 40, 96, 200, 1000, 5000, 20000 };
static struct kmem_cache *caches[NR_CACHES];

struct held {
	unsigned char *p;
	unsigned int cache;
	unsigned char pattern;
};
static struct held held[HELD_MAX];
static unsigned int nr_held, nr_of[NR_CACHES];

static uint64_t rnd_state;

static unsigned int rnd(unsigned int below)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (unsigned int)((rnd_state >> 16) % below);
}

static void make_caches(struct kunit *test)
{
	char name[32];

	for (unsigned int i = 0; i < NR_CACHES; i++) {
		snprintf(name, sizeof(name), "model-%u", sizes[i]);
		caches[i] =
			kmem_cache_create(name, sizes[i], 0, i == 5 ? SLAB_HWCACHE_ALIGN : 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, caches[i]);
	}
}

static void hold(unsigned char *p, unsigned int cache)
{
	struct held *h = &held[nr_held++];

	*h = (struct held){ p, cache, (unsigned char)rnd(256) };
	memset(p, h->pattern, sizes[cache]);
	nr_of[cache]++;
}

/* Takes the entry out and checks what it says. */
static void *let_go(struct kunit *test, unsigned int i)
{
	struct held h = held[i];

	KUNIT_ASSERT_TRUE(test, all_bytes(h.p, h.pattern, sizes[h.cache]), "%p of %s", (void *)h.p,
			  caches[h.cache]->name);
	held[i] = held[--nr_held];
	nr_of[h.cache]--;
	return h.p;
}

static int by_address(const void *a, const void *b)
{
	const struct held *x = a, *y = b;

	return x->p < y->p ? -1 : x->p > y->p;
}

static void check_all(struct kunit *test)
{
	qsort(held, nr_held, sizeof(held[0]), by_address);
	for (unsigned int i = 0; i < nr_held; i++) {
		KUNIT_ASSERT_TRUE(test,
				  all_bytes(held[i].p, held[i].pattern, sizes[held[i].cache]));
		KUNIT_ASSERT_PTR_EQ(test, owner_of(held[i].p), caches[held[i].cache]);
		if (i)
			KUNIT_ASSERT_LE(test, (uintptr_t)held[i - 1].p + sizes[held[i - 1].cache],
					(uintptr_t)held[i].p);
	}
	for (unsigned int c = 0; c < NR_CACHES; c++)
		KUNIT_ASSERT_EQ(test, live_objects(caches[c]), nr_of[c], "%s", caches[c]->name);
	KUNIT_ASSERT_EQ(test, validate_all(), 0);
}

static gfp_t some_gfp(void)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_KERNEL, GFP_ATOMIC, GFP_NOWAIT };

	return gfps[rnd(4)];
}

static void bulk_step(struct kunit *test)
{
	unsigned int c = rnd(NR_CACHES), n = 1 + rnd(100);
	void *p[100];

	if (nr_held + n > HELD_MAX || sizes[c] > 4096)
		return;
	if (kmem_cache_alloc_bulk(caches[c], GFP_KERNEL, n, p) != (int)n)
		KUNIT_FAIL_AND_ABORT(test, "bulk of %u", n);
	for (unsigned int i = 0; i < n; i++)
		hold(p[i], c);
}

static void bulk_free_step(struct kunit *test)
{
	unsigned int c = rnd(NR_CACHES), n = 0;
	void *p[100];

	for (unsigned int i = 0; i < nr_held && n < 100;) {
		if (held[i].cache == c)
			p[n++] = let_go(test, i);
		else
			i++;
	}
	kmem_cache_free_bulk(rnd(2) ? caches[c] : NULL, n, p);
}

static void random_work(struct kunit *test)
{
	bool growing = true;

	rnd_state = kunit_seed(test) | 1;
	kunit_log_line("seed %#llx", (unsigned long long)rnd_state);
	make_caches(test);
	for (int step = 0; step < STEPS; step++) {
		unsigned int what = rnd(1000);

		if (nr_held > HELD_MAX - 200)
			growing = false;
		else if (nr_held < 50)
			growing = true;
		if (what < (growing ? 600 : 350)) {
			unsigned int c = rnd(NR_CACHES);
			void *p = nr_held < HELD_MAX ? kmem_cache_alloc(caches[c], some_gfp()) :
						       NULL;

			if (p)
				hold(p, c);
		} else if (what < 960 && nr_held) {
			unsigned int i = rnd(nr_held), c = held[i].cache;
			void *p = let_go(test, i);

			if (rnd(2))
				kfree(p);
			else
				kmem_cache_free(caches[c], p);
		} else if (what < 975) {
			bulk_step(test);
		} else if (what < 990) {
			bulk_free_step(test);
		} else if (what < 993) {
			kmem_cache_shrink(caches[rnd(NR_CACHES)]);
		} else if (what == 993 && !rnd(10)) {
			sw_trim(0);
		}
		if (step % 5000 == 0)
			check_all(test);
	}
	while (nr_held)
		kfree(let_go(test, nr_held - 1));
	check_all(test);
	for (unsigned int c = 0; c < NR_CACHES; c++) {
		kmem_cache_destroy(caches[c]);
		KUNIT_EXPECT_NULL(test, cache_named("model"));
	}
}

TEST_IN_BOTH_MODES(random_work_agrees_with_a_naive_model, .timeout_s = 120)
{
	random_work(test);
}

KUNIT_TEST(random_work_agrees_with_a_naive_model_on_two_nodes, .timeout_s = 120)
{
	options("numa=fake=2");
	random_work(test);
}

/* ---- threads ---- */

#define THREADS    6
#define HAND_SLOTS 256
#define THREAD_OPS 150000

struct tagged {
	uint32_t check; /* of the address and the size: nobody else may have written here */
	uint32_t size;
	unsigned char rest[];
};

static _Atomic(struct tagged *) hand[HAND_SLOTS];
static _Atomic unsigned int broken;
static _Atomic bool stop;

static uint32_t check_of(const struct tagged *t, uint32_t size)
{
	return (uint32_t)(((uintptr_t)t >> 3) * 2654435761u) ^ size;
}

static void check_and_free(struct tagged *t, unsigned int how)
{
	if (!t)
		return;
	if (t->check != check_of(t, t->size) ||
	    t->rest[t->size - sizeof(*t) - 1] != (t->size & 0xff))
		atomic_fetch_add(&broken, 1);
	t->check = 0;
	if (how & 1)
		kfree(t);
	else
		kmem_cache_free(owner_of(t), t);
}

static void *worker(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg * 0x9e3779b97f4a7c15ull + 1;

	for (int op = 0; op < THREAD_OPS; op++) {
		unsigned int c;
		struct tagged *t;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		c = 1 + (unsigned int)(x >> 20) % (NR_CACHES - 2); /* not 8: too small for a tag */
		t = kmem_cache_alloc(caches[c], x & 64 ? GFP_KERNEL : GFP_ATOMIC);
		if (t) {
			t->size = sizes[c];
			t->check = check_of(t, t->size);
			t->rest[t->size - sizeof(*t) - 1] = t->size & 0xff;
		}
		t = atomic_exchange(&hand[(x >> 32) % HAND_SLOTS], t);
		check_and_free(t, (unsigned int)(x >> 40));
		if ((x >> 44) % 20000 == 0)
			kmem_cache_shrink(caches[c]);
		if ((x >> 44) % 3000 == 1) {
			cpu_set_t one;

			CPU_ZERO(&one);
			CPU_SET(op % (int)sysconf(_SC_NPROCESSORS_ONLN), &one);
			sched_setaffinity(0, sizeof(one), &one);
		}
	}
	return NULL;
}

static void *drainer(void *arg)
{
	while (!atomic_load(&stop)) {
		for (unsigned int c = 0; c < NR_CACHES; c++)
			kmem_cache_shrink(caches[c]);
		for (unsigned int c = 0; c < NR_CACHES; c++)
			(void)slab_sheaf_objects(caches[c]);
		sched_yield();
	}
	return arg;
}

TEST_IN_BOTH_MODES(objects_handed_between_threads_arrive_as_they_were, .timeout_s = 240)
{
	pthread_t t[THREADS], d;
	uint64_t seed = kunit_seed(test);

	kunit_log_line("seed %#llx", (unsigned long long)seed);
	make_caches(test);
	pthread_create(&d, NULL, drainer, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, worker, (void *)(uintptr_t)(seed + (uint64_t)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	atomic_store(&stop, true);
	pthread_join(d, NULL);
	for (int i = 0; i < HAND_SLOTS; i++)
		check_and_free(hand[i], 1);
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	for (unsigned int c = 0; c < NR_CACHES; c++) {
		KUNIT_EXPECT_EQ(test, live_objects(caches[c]), 0, "%s", caches[c]->name);
		KUNIT_EXPECT_EQ(test, kmem_cache_shrink(caches[c]), 0, "%s", caches[c]->name);
	}
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
}

/* ---- creation while others allocate ---- */

static void *creator(void *arg)
{
	char name[32];
	void *p[40];

	snprintf(name, sizeof(name), "own-%d", (int)(uintptr_t)arg);
	for (int i = 0; i < 1500; i++) {
		struct kmem_cache *s =
			kmem_cache_create(name, 8 + (unsigned int)i % 500, 0, 0, NULL);

		if (!s || kmem_cache_alloc_bulk(s, GFP_KERNEL, 40, p) != 40) {
			atomic_fetch_add(&broken, 1);
			return NULL;
		}
		kmem_cache_free_bulk(s, 40, p);
		kmem_cache_destroy(s);
	}
	return NULL;
}

TEST_IN_BOTH_MODES(caches_come_and_go_in_several_threads, .timeout_s = 120)
{
	pthread_t t[4];

	kfree(kmalloc(64, GFP_KERNEL));
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, creator, (void *)(uintptr_t)i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	KUNIT_EXPECT_EQ(test, broken, 0);
	KUNIT_EXPECT_EQ(test, validate_all(), 0);
	for (int i = 0; i < 4; i++)
		KUNIT_EXPECT_NULL(test, cache_named("own-0"));
}

/* ---- fork ---- */

static void *forker_noise(void *arg)
{
	while (!atomic_load(&stop))
		kfree(kmalloc(opaque(100UL + (size_t)(uintptr_t)arg), GFP_KERNEL));
	return NULL;
}

static void fork_children(struct kunit *test)
{
	pthread_t t[4];
	int status;

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, forker_noise, (void *)(i * 300));
	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (!pid) {
			alarm(10);
			for (int j = 0; j < 2000; j++)
				kfree(kmalloc(opaque((size_t)j * 7 + 1), GFP_KERNEL));
			sw_trim(0);
			_exit(validate_all());
		}
		waitpid(pid, &status, 0);
		KUNIT_ASSERT_EQ(test, status, 0, "child %d", i);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

TEST_IN_BOTH_MODES(a_forked_child_allocates_whatever_the_other_threads_held, .timeout_s = 120)
{
	kfree(kmalloc(64, GFP_KERNEL));
	fork_children(test);
}

/* The first of the threads boots the machine just when the first children are made. */
TEST_IN_BOTH_MODES(a_child_forked_while_another_thread_boots_allocates, .timeout_s = 120)
{
	fork_children(test);
}
