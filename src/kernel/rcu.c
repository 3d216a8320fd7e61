/* SPDX-License-Identifier: MIT */
/*
 * rcu.c - readers that never wait, callbacks when they are gone
 *
 * Room: kernel. Door: <slabwork/rcupdate.h>; for our slow paths kernel/rcu.h.
 * Why not a library: docs/decisions/0003-rcu.md.
 *
 * 1. The idea
 *
 * Readers count themselves in and out of one of two phases, in counters that belong to
 * CPU ids. With rseq each id's are its own, and one more is a plain addition; without, and
 * for ids beyond the table, they are shared and atomic. A grace period makes the other phase the current one and waits until as many have
 * left the old one as entered it. Nothing is kept per thread but one word, which needs no
 * set-up and no clean-up.
 *
 * 2. A grace period, advanced by whoever has an interest in it; there is no thread for it
 *
 *   IDLE ──gp_start()──▶ DRAIN_OTHER ──other phase empty: flip──▶ DRAIN_OLD ──┐
 *    ▲                                                       old phase empty  │
 *    └────────────────────────────────────────────────────────────────────────┘
 *
 * Both drains are needed. A reader may look at the phase, be interrupted for as long as it
 * likes, and only then count itself in: into a phase that has been flipped away
 * meanwhile. That grace period need not wait for such a straggler, since it reads late;
 * but the next one flips to the straggler's phase and drains the one it is not in. So
 * before a flip the phase to flip to must be empty.
 *
 * 3. Counting ("left" is summed first, then "entered")
 *
 * A reader that the second sum missed entered after it; its entry is a full barrier, or every CPU
 * was made to pass one between the sums (cpu_rseq_barrier()), so it sees everything
 * the writer did before. A reader whose leaving was counted
 * entered earlier, and that is counted, since the entered counters are read later. Wrong
 * answers are therefore only of the kind "still busy", and are asked again.
 *
 * 4. Signals
 *
 * nesting is (depth << 1 | phase), changed by one store, after counting in and before
 * counting out: a handler that reads in between counts itself in and out, in balance.
 *
 * 5. Locks, outermost first, both rank 5
 *
 *   cb_lock   batch*, running_by_somebody; not held while a batch runs: there is one at a time, and running is its
 *             runner's, who leaves in it what is still to be done
 *   gp_lock   stage, gp_started, gp_completed; held for a scan of the counters, never
 *             while waiting
 *
 * So a reader or a callback may fork while others wait for a grace period.
 *
 * 6. Fork: both locks are held; the child forgets all readers but the forking thread, and
 * takes over the callbacks that another thread was about to run. The one that was just
 * running there, or about to be, is lost.
 *
 * 7. Departures from Linux: sections may sleep; call_rcu() does not throttle.
 */

#include <slabwork/rcupdate.h>

#include "kernel/cpu.h"
#include "kernel/fork.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "kernel/rcu.h"
#include "kernel/rseq_count.h"
#include "lib/bitops.h"
#include "os/os.h"

/* CPU ids share slots beyond this; 64 lines of 64 bytes in .bss, touched as used. */
#define RCU_SLOTS RSEQ_COUNT_IDS

/* Between looks at the counters: yield a while, then sleep, longer each time up to 1.28 ms. */
#define WAIT_YIELDS          16
#define WAIT_SLEEP_MIN_NS    20000ULL
#define WAIT_SLEEP_DOUBLINGS 6u
#define REFUSED_SLEEP_NS     10000000ULL

enum gp_stage { GP_IDLE, GP_DRAIN_OTHER, GP_DRAIN_OLD };

struct rcu_slot {
	_Atomic unsigned long entered[2];
	_Atomic unsigned long left[2];
} __attribute__((aligned(64)));

static struct rcu_slot slots[RCU_SLOTS];

/* The same without atomics, by id: written by rseq_count() only, and read from anywhere. */
static struct rcu_own_slot {
	unsigned long entered[2];
	unsigned long left[2];
} __attribute__((aligned(64))) own_slots[RSEQ_COUNT_IDS];
static _Atomic unsigned int phase; /* 0 or 1: where readers count themselves in */

static __thread unsigned long nesting; /* depth << 1 | phase entered; 0: not reading */
static __thread bool in_callback;

static spinlock_t gp_lock = SPINLOCK_INIT;
static enum gp_stage stage;
static _Atomic unsigned long gp_started;   /* serial of the latest grace period begun; */
static _Atomic unsigned long gp_completed; /* and ended; both written under gp_lock */

static spinlock_t cb_lock = SPINLOCK_INIT;
_Atomic(struct rcu_head *) rcu_incoming;
_Atomic bool rcu_batched;      /* batch or running is there; under cb_lock */
static struct rcu_head *batch; /* oldest first; waits for batch_due */
static unsigned long batch_due;
static unsigned long batch_serial = 1; /* of the batch that waits */
static unsigned long batches_done;     /* serial of the last batch that was run */
static struct rcu_head *running;       /* what is left of the batch that runs */
static bool running_by_somebody;

/* --- readers ---------------------------------------------------------------- */

/* After a seq_cst read-modify-write: it is a full barrier on x86-64 already. */
static inline void full_barrier_after_atomic(void)
{
#if !defined(__x86_64__)
	atomic_thread_fence(memory_order_seq_cst);
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

static inline struct rcu_slot *this_slot(void)
{
	return &slots[cpu_cid() % RCU_SLOTS];
}

/* Out of line, so that the usual way needs no frame. */
static __attribute__((noinline)) void enter_shared(unsigned int in)
{
	atomic_fetch_add_explicit(&this_slot()->entered[in], 1, memory_order_seq_cst);
	full_barrier_after_atomic();
	nesting = 2 | in;
	atomic_signal_fence(memory_order_seq_cst);
}

static __attribute__((noinline)) void leave_shared(unsigned int in)
{
	atomic_fetch_add_explicit(&this_slot()->left[in], 1, memory_order_release);
}

void rcu_read_lock(void)
{
	unsigned long now = nesting;
	unsigned int in;

	if (now) {
		nesting = now + 2;
		return;
	}
	in = atomic_load_explicit(&phase, memory_order_relaxed);
	/* Partner: phase_empty(), its sum of entered. */
	if (unlikely(!rseq_count(&own_slots[0].entered[in]))) {
		enter_shared(in);
		return;
	}
	nesting = 2 | in;
	atomic_signal_fence(memory_order_seq_cst);
}

void rcu_read_unlock(void)
{
	unsigned long now = nesting;

	BUG_ON(now < 2);
	if (now >= 4) {
		nesting = now - 2;
		return;
	}
	atomic_signal_fence(memory_order_seq_cst);
	nesting = 0;
	/* Partner: phase_empty(), its sum of left: what the reader did is over when that sees it. */
	if (unlikely(!rseq_count(&own_slots[0].left[now & 1])))
		leave_shared(now & 1);
}

int rcu_read_lock_held(void)
{
	return nesting != 0;
}

/* --- grace periods ---------------------------------------------------------- */

/*
 * Has everybody who entered this phase left it? Whoever enters during the scan may be
 * missed (see 3). The order of the two sums is what makes "yes" true.
 */
static bool phase_empty(unsigned int which)
{
	unsigned long entered = 0, left = 0;

	for (int i = 0; i < RCU_SLOTS; i++)
		left += atomic_load_explicit(&slots[i].left[which], memory_order_acquire) +
			__atomic_load_n(&own_slots[i].left[which], __ATOMIC_ACQUIRE);
	/* Read-modify-write of 0: a full barrier that sanitizers understand too. */
	atomic_fetch_add_explicit(&phase, 0, memory_order_seq_cst);
	full_barrier_after_atomic();
	/* Refused, by a filter that came later: no store waits in a CPU for as long as this. */
	if (cpu_rseq_barrier())
		os_sleep_ns(REFUSED_SLEEP_NS);
	for (int i = 0; i < RCU_SLOTS; i++)
		entered += atomic_load_explicit(&slots[i].entered[which], memory_order_seq_cst) +
			   __atomic_load_n(&own_slots[i].entered[which], __ATOMIC_ACQUIRE);
	return entered == left;
}

/* Take the running grace period as far as it goes now. Under gp_lock. */
static void gp_advance(void)
{
	unsigned int now = atomic_load_explicit(&phase, memory_order_relaxed);

	if (stage == GP_DRAIN_OTHER && phase_empty(!now)) {
		now = !now;
		atomic_store_explicit(&phase, now, memory_order_seq_cst);
		stage = GP_DRAIN_OLD;
	}
	if (stage == GP_DRAIN_OLD && phase_empty(!now)) {
		/* Partner: gp_done(). */
		atomic_store_explicit(&gp_completed, atomic_load(&gp_started),
				      memory_order_release);
		stage = GP_IDLE;
	}
}

/* Begin a grace period unless one runs; advance it. Under gp_lock. */
static void gp_start(void)
{
	if (stage == GP_IDLE) {
		/* What the caller unpublished must be seen by readers missed in the scan below. */
		atomic_fetch_add_explicit(&phase, 0, memory_order_seq_cst);
		full_barrier_after_atomic();
		atomic_fetch_add_explicit(&gp_started, 1, memory_order_seq_cst);
		stage = GP_DRAIN_OTHER;
	}
	gp_advance();
}

static bool gp_done(unsigned long serial)
{
	return (long)(atomic_load_explicit(&gp_completed, memory_order_acquire) - serial) >= 0;
}

/*
 * Serial of the first grace period that begins after now. Without gp_lock one may begin
 * meanwhile: then that is the one, and it did begin after the call.
 */
static unsigned long gp_next(void)
{
	/* Partner: gp_start(). What the caller unpublished comes before the serial is read. */
	return atomic_fetch_add_explicit(&gp_started, 0, memory_order_seq_cst) + 1;
}

/* As far as it goes now: end what runs, begin (and perhaps end) the next. Under gp_lock. */
static void gp_push(unsigned long serial)
{
	if (!gp_done(serial))
		gp_start();
	if (!gp_done(serial) && stage == GP_IDLE)
		gp_start();
}

/* The same if nobody else is at it. */
static void gp_try(unsigned long serial)
{
	if (!spin_trylock(&gp_lock))
		return;
	gp_push(serial);
	spin_unlock(&gp_lock);
}

static void back_off(unsigned int looks)
{
	unsigned int doublings = looks - WAIT_YIELDS;

	if (looks < WAIT_YIELDS)
		os_yield();
	else
		os_sleep_ns(WAIT_SLEEP_MIN_NS << min(doublings, WAIT_SLEEP_DOUBLINGS));
}

static void gp_wait(unsigned long serial)
{
	for (unsigned int looks = 0; !gp_done(serial); looks++) {
		if (looks)
			back_off(looks - 1);
		spin_lock(&gp_lock);
		gp_push(serial);
		spin_unlock(&gp_lock);
	}
}

void synchronize_rcu(void)
{
	BUG_ON(nesting);
	gp_wait(gp_next());
	rcu_poll();
}

/* --- callbacks -------------------------------------------------------------- */

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	struct rcu_head *old = atomic_load_explicit(&rcu_incoming, memory_order_relaxed);

	head->func = func;
	do {
		head->next = old;
	} while (!atomic_compare_exchange_weak_explicit(
		&rcu_incoming, &old, head, memory_order_release, memory_order_relaxed));
}

/* Put list behind what *to holds already. */
static void list_append(struct rcu_head **to, struct rcu_head *list)
{
	while (*to)
		to = &(*to)->next;
	*to = list;
}

/*
 * Append everything that call_rcu() pushed to the batch, oldest first; all of the batch is
 * then due when the grace period after now has ended. Under cb_lock.
 */
static void batch_take_incoming(void)
{
	struct rcu_head *head, *oldest = NULL;

	if (!atomic_load_explicit(&rcu_incoming, memory_order_relaxed))
		return;
	/* First, so that rcu_pending() does not say "none" in between. */
	atomic_store_explicit(&rcu_batched, true, memory_order_relaxed);
	head = atomic_exchange_explicit(&rcu_incoming, NULL, memory_order_acq_rel);
	while (head) {
		struct rcu_head *next = head->next;

		head->next = oldest;
		oldest = head;
		head = next;
	}
	list_append(&batch, oldest);
	batch_due = gp_next();
}

/* If the batch is due and nobody runs another, it is the caller's to run. Under cb_lock. */
static bool batch_claim(void)
{
	if (!batch || running_by_somebody || !gp_done(batch_due))
		return false;
	running = batch;
	batch = NULL;
	batch_serial++;
	running_by_somebody = true;
	return true;
}

/* The runner's; a forked child reads what was there when it was made. */
static void running_set(struct rcu_head *head)
{
	__atomic_store_n(&running, head, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_seq_cst);
}

/* cb_lock held: nothing runs any more. */
static void batch_over(void)
{
	running_by_somebody = false;
	batches_done = batch_serial - 1;
	atomic_store_explicit(&rcu_batched, batch != NULL, memory_order_relaxed);
}

/* Run the claimed batch. No lock is held meanwhile: a callback may fork, or wait for a forker. */
static void batch_run(void)
{
	struct rcu_head *head = running;

	in_callback = true;
	while (head) {
		struct rcu_head *next = head->next;

		running_set(next);
		head->func(head);
		head = next;
	}
	spin_lock(&cb_lock);
	batch_over();
	spin_unlock(&cb_lock);
	in_callback = false;
}

__attribute__((noinline)) void rcu_poll_slow(void)
{
	bool mine;

	if (in_callback || !spin_trylock(&cb_lock))
		return;
	if (!batch)
		batch_take_incoming();
	if (batch && !gp_done(batch_due))
		gp_try(batch_due);
	mine = batch_claim();
	spin_unlock(&cb_lock);
	if (mine)
		batch_run();
}

void rcu_barrier(void)
{
	unsigned long target;
	unsigned int looks = 0;
	bool mine, done;

	BUG_ON(nesting || in_callback);
	spin_lock(&cb_lock);
	batch_take_incoming();
	/* Ours are in the batch that waits; without one, in that which runs, if any does. */
	target = batch ? batch_serial : batch_serial - 1;
	for (;;) {
		unsigned long due = batch_due;

		done = (long)(batches_done - target) >= 0;
		mine = !done && batch_claim();
		spin_unlock(&cb_lock);
		if (done)
			return;
		if (mine)
			batch_run();
		else if (!gp_done(due))
			gp_wait(due);
		else
			back_off(looks++);
		spin_lock(&cb_lock);
	}
}

/* --- fork ------------------------------------------------------------------- */

static void rcu_fork_prepare(void)
{
	spin_lock(&cb_lock);
	spin_lock(&gp_lock);
}

static void rcu_fork_parent(void)
{
	spin_unlock(&gp_lock);
	spin_unlock(&cb_lock);
}

/* Readers of threads that are not here any more would never leave. */
static void forget_other_readers(void)
{
	for (int i = 0; i < RCU_SLOTS; i++) {
		for (int which = 0; which < 2; which++) {
			atomic_store_explicit(&slots[i].entered[which], 0, memory_order_relaxed);
			atomic_store_explicit(&slots[i].left[which], 0, memory_order_relaxed);
			own_slots[i].entered[which] = own_slots[i].left[which] = 0;
		}
	}
	if (nesting)
		atomic_store_explicit(&slots[0].entered[nesting & 1], 1, memory_order_relaxed);
}

/* What another thread was running is ours to run: it was due, but may wait for a second time. */
static void adopt_running(void)
{
	if (!running_by_somebody || in_callback)
		return;
	if (!batch)
		batch_due = atomic_load(&gp_completed);
	list_append(&running, batch);
	batch = running;
	running = NULL;
	batch_over();
}

static void rcu_fork_child(void)
{
	forget_other_readers();
	adopt_running();
	rcu_fork_parent();
}

FORK_HANDLER(rcu, 5, rcu_fork_prepare, rcu_fork_parent, rcu_fork_child);
