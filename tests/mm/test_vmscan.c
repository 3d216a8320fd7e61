/* SPDX-License-Identifier: MIT */
/* test_vmscan.c - shrinkers, direct reclaim, kswapd, and the last word of oom.c */

#include <kunit/test.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <slabwork/mm.h>
#include <slabwork/oom.h>
#include <slabwork/shrinker.h>
#include <slabwork/slab.h>

#include "kernel/printk.h"
#include "mm/gfp_text.h"
#include "mm/vmscan.h"
#include "mm/zone.h"

/* A cache that only counts. */
struct toy {
	struct shrinker shrinker;
	unsigned long objects; /* freeable */
	unsigned long scans;   /* calls of scan_objects */
	unsigned long asked;   /* objects asked for, in all */
	unsigned long largest; /* nr_to_scan */
	gfp_t gfp;
	unsigned long answer; /* SHRINK_STOP, or 0: frees what it is asked to */
};

static struct toy *toy_of(struct shrinker *s)
{
	return (struct toy *)((char *)s - offsetof(struct toy, shrinker));
}

static unsigned long toy_count(struct shrinker *s, struct shrink_control *sc)
{
	toy_of(s)->gfp = sc->gfp_mask;
	return toy_of(s)->objects;
}

static unsigned long toy_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct toy *toy = toy_of(s);
	unsigned long freed;

	toy->scans++;
	toy->asked += sc->nr_to_scan;
	if (sc->nr_to_scan > toy->largest)
		toy->largest = sc->nr_to_scan;
	if (toy->answer == SHRINK_STOP)
		return SHRINK_STOP;
	if (sc->nr_to_scan < toy->objects) {
		toy->objects -= sc->nr_to_scan;
		return sc->nr_to_scan;
	}
	freed = toy->objects;
	toy->objects = 0;
	return freed;
}

static struct toy toy = {
	.shrinker = { .count_objects = toy_count, .scan_objects = toy_scan, .seeks = DEFAULT_SEEKS }
};

static void shrink(int priority)
{
	shrink_slab(GFP_KERNEL, 0, priority);
}

KUNIT_TEST(a_share_is_freeable_shifted_by_priority_times_four_by_seeks)
{
	static const struct {
		unsigned long objects;
		int priority, seeks;
		unsigned long want;
	} row[] = {
		{ 1 << 20, 12, 2, 512 },     { 1 << 20, 12, 4, 256 }, { 1 << 20, 8, 2, 8192 },
		{ 1 << 20, 0, 2, 1 << 21 },  /* twice what there is, and no more */
		{ 1 << 20, 12, 0, 1 << 19 }, /* nothing to make again: half at once */
		{ 100, 0, 2, 128 },          /* a batch of the 200; the rest is less than that */
		{ 100, 1, 2, 100 },          /* less than a batch, but all that there is */
	};

	KUNIT_ASSERT_EQ(test, register_shrinker(&toy.shrinker), 0);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		unregister_shrinker(&toy.shrinker);
		toy.objects = row[i].objects;
		toy.asked = 0;
		toy.shrinker.seeks = row[i].seeks;
		KUNIT_ASSERT_EQ(test, register_shrinker(&toy.shrinker, "toy-%zu", i), 0);
		shrink(row[i].priority);
		KUNIT_EXPECT_EQ(test, toy.asked, row[i].want, "row %zu", i);
	}
	KUNIT_EXPECT_STREQ(test, toy.shrinker.name, "toy-6");
	KUNIT_EXPECT_NULL(test, shrinker_validate());
}

KUNIT_TEST(work_is_asked_for_in_batches)
{
	toy.objects = 1000000;
	register_shrinker(&toy.shrinker);
	shrink(8);
	KUNIT_EXPECT_EQ(test, toy.largest, SHRINK_BATCH);
	toy.shrinker.batch = 1000;
	toy.largest = 0;
	shrink(4);
	KUNIT_EXPECT_EQ(test, toy.largest, 1000);
}

KUNIT_TEST(what_is_less_than_a_batch_is_put_off_and_comes_later)
{
	toy.objects = 100000; /* a share of 48 at priority 12 */
	register_shrinker(&toy.shrinker);
	shrink(12);
	KUNIT_EXPECT_EQ(test, toy.scans, 0);
	KUNIT_EXPECT_EQ(test, toy.shrinker.nr_deferred[0], 48);
	shrink(12);
	KUNIT_EXPECT_EQ(test, toy.shrinker.nr_deferred[0], 96);
	shrink(0); /* 96 + 4/2 * 100000, capped at all there is */
	KUNIT_EXPECT_EQ(test, toy.objects, 0);
}

KUNIT_TEST(debt_is_at_most_twice_the_cache)
{
	toy.objects = 1000;
	toy.answer = SHRINK_STOP;
	register_shrinker(&toy.shrinker);
	for (int i = 0; i < 20; i++)
		shrink(0);
	KUNIT_EXPECT_EQ(test, toy.shrinker.nr_deferred[0], 2000);
	KUNIT_EXPECT_EQ(test, toy.scans, 20, "SHRINK_STOP ends the round");
}

KUNIT_TEST(an_empty_cache_is_not_scanned)
{
	register_shrinker(&toy.shrinker);
	toy.objects = 0;
	shrink(0);
	toy.objects = SHRINK_EMPTY;
	shrink(0);
	KUNIT_EXPECT_EQ(test, toy.scans, 0);
}

KUNIT_TEST(the_generation_of_6_7_works_the_same)
{
	struct shrinker *s = shrinker_alloc(SHRINKER_NUMA_AWARE, "new-%d", 7);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_EQ(test, s->seeks, DEFAULT_SEEKS);
	KUNIT_EXPECT_STREQ(test, s->name, "new-7");
	s->count_objects = toy_count;
	s->scan_objects = toy_scan;
	/* toy_of() is not its: only the list is looked at here. */
	shrinker_register(s);
	KUNIT_EXPECT_TRUE(test, s->flags & SHRINKER_REGISTERED);
	KUNIT_EXPECT_NULL(test, shrinker_validate());
	shrinker_free(s);
	shrinker_free(NULL);
	KUNIT_EXPECT_NULL(test, shrinker_validate());
}

static unsigned long nested_freed;

static unsigned long scan_that_reclaims(struct shrinker *s, struct shrink_control *sc)
{
	toy_of(s)->scans++;
	nested_freed += try_to_free_pages(0, GFP_KERNEL, 0) + shrink_slab(GFP_KERNEL, 0, 0);
	sc->nr_scanned = 0; /* and this one never gets on */
	return 0;
}

KUNIT_TEST(reclaim_does_not_enter_itself_nor_loop_for_ever)
{
	toy.objects = 1000;
	toy.shrinker.scan_objects = scan_that_reclaims;
	register_shrinker(&toy.shrinker);
	shrink(0);
	KUNIT_EXPECT_EQ(test, toy.scans, 1);
	KUNIT_EXPECT_EQ(test, nested_freed, 0);
}

KUNIT_TEST(callbacks_see_the_mask_of_the_allocation)
{
	toy.objects = 1000;
	register_shrinker(&toy.shrinker);
	shrink_slab(GFP_NOFS, 0, 0);
	KUNIT_EXPECT_EQ(test, toy.gfp, GFP_NOFS);
	KUNIT_EXPECT_EQ(test, try_to_free_pages(0, GFP_ATOMIC, 0), 0);
	KUNIT_EXPECT_EQ(test, toy.gfp, GFP_NOFS, "who may not sleep does not reclaim");
}

static _Atomic int inside, leave;

static unsigned long scan_that_waits(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	inside = 1;
	while (!leave)
		;
	return SHRINK_STOP;
}

static void *reclaim_thread(void *arg)
{
	shrink(0);
	return arg;
}

static _Atomic int unregistered;

static void *unregister_thread(void *arg)
{
	unregister_shrinker(&toy.shrinker);
	unregistered = 1;
	return arg;
}

KUNIT_TEST(unregistering_waits_for_a_running_callback)
{
	pthread_t a, b;
	int status;
	pid_t pid;

	toy.objects = 1000;
	toy.shrinker.scan_objects = scan_that_waits;
	register_shrinker(&toy.shrinker);
	pthread_create(&a, NULL, reclaim_thread, NULL);
	while (!inside)
		;
	/* In a child nobody runs the callback any more: it must not wait. */
	pid = fork();
	if (!pid) {
		unregister_shrinker(&toy.shrinker);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	KUNIT_EXPECT_EQ(test, status, 0);
	pthread_create(&b, NULL, unregister_thread, NULL);
	for (int i = 0; i < 100; i++)
		sched_yield();
	KUNIT_EXPECT_EQ(test, unregistered, 0);
	leave = 1;
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	KUNIT_EXPECT_EQ(test, unregistered, 1);
	KUNIT_EXPECT_FALSE(test, toy.shrinker.flags & SHRINKER_REGISTERED);
}

KUNIT_TEST(registering_twice_is_refused)
{
	KUNIT_EXPECT_EQ(test, register_shrinker(&toy.shrinker), 0);
	KUNIT_EXPECT_LT(test, register_shrinker(&toy.shrinker), 0);
	KUNIT_EXPECT_NULL(test, shrinker_validate());
	unregister_shrinker(&toy.shrinker);
	unregister_shrinker(&toy.shrinker);
	KUNIT_EXPECT_EQ(test, register_shrinker(&toy.shrinker), 0);
}

/* ---- with a machine that is full ---- */

static struct page *held[4096];
static int nr_held;

static unsigned long held_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return (unsigned long)nr_held;
}

static unsigned long held_scan(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long n = 0;

	(void)s;
	while (n < sc->nr_to_scan && nr_held) {
		__free_page(held[--nr_held]);
		n++;
	}
	return n;
}

static void fill_machine(void)
{
	struct page *page;

	while (nr_held < 4096 && (page = alloc_page(GFP_NOWAIT | __GFP_NOWARN)))
		held[nr_held++] = page;
}

KUNIT_TEST(a_full_machine_is_relieved_by_its_shrinkers)
{
	static struct shrinker s = { .count_objects = held_count,
				     .scan_objects = held_scan,
				     .seeks = DEFAULT_SEEKS };
	unsigned long before;
	struct page *page;
	int full;

	setenv("SLABWORK", "mem=8M", 1);
	fill_machine();
	full = nr_held;
	KUNIT_ASSERT_GT(test, full, 1000);
	before = vm_event_read(SLABS_SCANNED);
	register_shrinker(&s, "held");
	for (int i = 0; i < 500; i++) {
		page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page);
	}
	KUNIT_EXPECT_LT(test, nr_held, full);
	KUNIT_EXPECT_GT(test, nr_held, 0, "pressure rises step by step, it does not empty a cache");
	KUNIT_EXPECT_GT(test, vm_event_read(SLABS_SCANNED), before);
}

static char said[1 << 16];

static void hear(const char *text, unsigned long len)
{
	size_t have = strlen(said);

	if (have + len < sizeof(said))
		memcpy(said + have, text, len);
}

static int order_of_calls[4], nr_calls;

static int notified(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)action;
	order_of_calls[nr_calls++ % 4] = nb->priority;
	if (nb->priority == 5 && nr_held) {
		__free_page(held[--nr_held]);
		*(unsigned long *)data += 1;
	}
	return NOTIFY_OK;
}

KUNIT_TEST(notifiers_are_called_by_priority_and_can_save_the_day)
{
	static struct notifier_block low = { notified, NULL, -1 }, high = { notified, NULL, 9 },
				     mid = { notified, NULL, 5 };

	setenv("SLABWORK", "mem=8M", 1);
	fill_machine();
	KUNIT_EXPECT_EQ(test, register_oom_notifier(&low), 0);
	KUNIT_EXPECT_EQ(test, register_oom_notifier(&high), 0);
	KUNIT_EXPECT_EQ(test, register_oom_notifier(&mid), 0);
	KUNIT_EXPECT_LT(test, register_oom_notifier(&mid), 0);
	printk_sink = hear;
	KUNIT_EXPECT_TRUE(test, out_of_memory(0, GFP_KERNEL, 0));
	KUNIT_EXPECT_EQ(test, order_of_calls[0], 9);
	KUNIT_EXPECT_EQ(test, order_of_calls[1], 5);
	KUNIT_EXPECT_EQ(test, order_of_calls[2], -1);
	KUNIT_EXPECT_STREQ(test, said, "", "no report while somebody helps");
	KUNIT_EXPECT_EQ(test, unregister_oom_notifier(&mid), 0);
	KUNIT_EXPECT_LT(test, unregister_oom_notifier(&mid), 0);
	KUNIT_EXPECT_FALSE(test, out_of_memory(0, GFP_KERNEL, 0));
}

KUNIT_TEST(out_of_memory_writes_the_kernels_report_once_and_gives_null)
{
	struct page *page;
	int got = 0;

	setenv("SLABWORK", "mem=8M", 1);
	kfree(kmalloc(100, GFP_KERNEL));
	printk_sink = hear;
	while ((page = alloc_page(GFP_KERNEL)))
		got++;
	KUNIT_EXPECT_GT(test, got, 1000);
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, " invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), "
						 "order=0, oom_score_adj=0\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "Mem-Info:\n"));
	KUNIT_EXPECT_NOT_NULL(test,
			      strstr(said, "Unreclaimable slab info:\n"
					   "Name                      Used          Total\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(said, "kmem_cache"));
	KUNIT_EXPECT_EQ(test, vm_event_read(OOM_KILL), 1);
	memset(said, 0, sizeof(said));
	KUNIT_EXPECT_NULL(test, alloc_page(GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, strstr(said, "oom-killer"), "at most once in ten seconds");
	KUNIT_EXPECT_EQ(test, vm_event_read(OOM_KILL), 2);
}

KUNIT_TEST(kswapd_runs_up_to_high_for_whoever_comes_next)
{
	static struct shrinker s = { .count_objects = held_count,
				     .scan_objects = held_scan,
				     .seeks = DEFAULT_SEEKS };
	struct zone *zone;

	setenv("SLABWORK", "mem=8M", 1);
	fill_machine();
	register_shrinker(&s, "held");
	zone = &NODE_DATA(0)->node_zones[ZONE_NORMAL];
	KUNIT_EXPECT_LT(test, zone_page_state(zone, NR_FREE_PAGES), high_wmark_pages(zone));
	wakeup_kswapd(0, GFP_ATOMIC, 0);
	kswapd_balance(GFP_ATOMIC);
	KUNIT_EXPECT_EQ(test, vm_event_read(PAGEOUTRUN), 0, "not who cannot sleep");
	kswapd_balance(GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, vm_event_read(PAGEOUTRUN), 1);
	KUNIT_EXPECT_GE(test, zone_page_state(zone, NR_FREE_PAGES), high_wmark_pages(zone));
	KUNIT_EXPECT_GT(test, nr_held, 0);
	kswapd_balance(GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, vm_event_read(PAGEOUTRUN), 1, "the note is worked off");
}

KUNIT_TEST(kswapd_runs_in_a_thread_where_asked)
{
	static struct shrinker s = { .count_objects = held_count,
				     .scan_objects = held_scan,
				     .seeks = DEFAULT_SEEKS };
	struct zone *zone;

	setenv("SLABWORK", "mem=8M kswapd=thread", 1);
	fill_machine();
	zone = &NODE_DATA(0)->node_zones[ZONE_NORMAL];
	register_shrinker(&s, "held");
	wakeup_kswapd(0, GFP_KERNEL, 0);
	/* The runner's timeout is the limit. */
	while (zone_page_state(zone, NR_FREE_PAGES) < high_wmark_pages(zone))
		sched_yield();
	KUNIT_EXPECT_GE(test, vm_event_read(PAGEOUTRUN), 1);
}

KUNIT_TEST(gfp_masks_read_as_the_kernel_prints_them)
{
	char buf[GFP_TEXT_MAX], tiny[8];

	KUNIT_EXPECT_STREQ(test, gfp_flags_text(buf, sizeof(buf), GFP_KERNEL), "GFP_KERNEL");
	KUNIT_EXPECT_STREQ(test,
			   gfp_flags_text(buf, sizeof(buf), GFP_KERNEL | __GFP_ZERO | __GFP_COMP),
			   "GFP_KERNEL|__GFP_COMP|__GFP_ZERO");
	KUNIT_EXPECT_STREQ(test, gfp_flags_text(buf, sizeof(buf), GFP_HIGHUSER_MOVABLE),
			   "GFP_HIGHUSER_MOVABLE");
	KUNIT_EXPECT_STREQ(test, gfp_flags_text(buf, sizeof(buf), GFP_NOWAIT | 0x80000000u),
			   "GFP_NOWAIT|0x80000000");
	KUNIT_EXPECT_STREQ(test, gfp_flags_text(buf, sizeof(buf), 0), "");
	KUNIT_EXPECT_STREQ(test, gfp_flags_text(tiny, sizeof(tiny), GFP_KERNEL), "GFP_KER");
	gfp_flags_text(buf, sizeof(buf), ~0u);
	KUNIT_EXPECT_LT(test, strlen(buf), GFP_TEXT_MAX - 1);
}
