/* SPDX-License-Identifier: MIT */
/*
 * uffd.c - mappings that are filled when touched: userfaultfd and the thread that serves it
 *
 * Room: vfs. Next door: fault.c says what a page shows.
 *
 * A lazy area starts as anonymous memory that is registered for missing faults. Whoever touches it sleeps
 * in the kernel; the fault server, one thread, reads the event, has fault.c map something over
 * the page, and wakes the sleeper, who then touches the new mapping. Mapping over it ends the
 * registration of that piece.
 *
 * Hiding (uffd_hide()) must leave no moment in which a toucher sees something else. So what shows pool
 * pages stays where it is: it is registered for minor faults, which by itself changes nothing, and then
 * its page table entries go (MADV_DONTNEED); the next touch of any page is an event, and the
 * server maps the right thing over it. What is no page of the pool (a DAX device, the SIGBUS page) is
 * replaced by fresh anonymous memory that is registered an instant later: who touches it in that instant
 * sees zeros, which is what truncate and punch have just made of it.
 *
 * Writes: pool pages can be registered for write protection. Between mmap() of a piece and its protection
 * some other thread may have written to it without an event: so /proc/self/pagemap is asked which
 * pages have been touched until then, and those count as written. Without pagemap all of them do.
 *
 * All of this needs Linux 5.19; before it, and where userfaultfd is forbidden, mappings are populated.
 *
 * The server is started by the first lazy mapping, with all signals blocked, and lives as long as the
 * process. It does not exist in a forked child, which has a new one when it first needs one;
 * its copies of what was not filled are absent (MADV_DONTFORK): a fault is better than zeros.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vfs/area.h"

#define SERVER_STACK (256 * 1024)
#define EVENTS_MAX   16
#define FEATURES                                                                                  \
	(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM | \
	 UFFD_FEATURE_WP_HUGETLBFS_SHMEM)

static struct mutex start_mutex;
static _Atomic int started; /* 1: runs, -1: cannot */
static int uffd = -1;
static int pagemap_fd = -1;

static int uffd_open(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void serve(const struct uffd_msg *msg)
{
	unsigned long addr = msg->arg.pagefault.address & PAGE_MASK;
	struct area *area = area_find(addr);

	if (!area) {
		uffd_wake(addr, PAGE_SIZE);
	} else if (msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
		area_write_fault(area, addr);
	} else {
		bool write = msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE;
		long shown = area_fill(area, addr, write ? FAULT_FLAG_WRITE : 0);

		uffd_wake(addr, shown > 0 ? (size_t)shown : PAGE_SIZE);
	}
	if (area)
		area_put(area);
	flush_delayed_fput();
}

static void *server(void *unused)
{
	struct uffd_msg msgs[EVENTS_MAX];

	(void)unused;
	for (;;) {
		ssize_t n = read(uffd, msgs, sizeof(msgs));

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return NULL;
		for (ssize_t i = 0; i < n / (ssize_t)sizeof(msgs[0]); i++)
			if (msgs[i].event == UFFD_EVENT_PAGEFAULT)
				serve(&msgs[i]);
	}
}

static void fork_child(void)
{
	int saved = errno;

	/* Both are of the parent's memory. */
	if (uffd >= 0)
		close(uffd);
	if (pagemap_fd >= 0)
		close(pagemap_fd);
	uffd = pagemap_fd = -1;
	atomic_store(&started, 0);
	spin_lock_init(&start_mutex.lock);
	errno = saved;
}

static int start_server(void)
{
	static bool handlers;
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	uffd = uffd_open();
	if (uffd < 0)
		return -1;
	pagemap_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (!handlers)
		pthread_atfork(NULL, NULL, fork_child);
	handlers = true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, SERVER_STACK);
	err = pthread_create(&thread, &attr, server, NULL);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		return 1;
	close(uffd);
	uffd = -1;
	return -1;
}

bool uffd_usable(void)
{
	int now = atomic_load_explicit(&started, memory_order_acquire), saved = errno;

	if (now)
		return now > 0;
	mutex_lock(&start_mutex);
	now = atomic_load_explicit(&started, memory_order_relaxed);
	if (!now) {
		now = start_server();
		atomic_store_explicit(&started, now, memory_order_release);
	}
	mutex_unlock(&start_mutex);
	errno = saved;
	return now > 0;
}

int map_at(unsigned long addr, size_t size, int prot, int flags, int fd, uint64_t offset)
{
	int saved = errno, ret = 0;

	if (mmap((void *)addr, size, prot, flags | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED)
		ret = -errno;
	errno = saved;
	return ret;
}

void map_populate(unsigned long addr, size_t size)
{
#ifdef MADV_POPULATE_READ
	int saved = errno;

	madvise((void *)addr, size, MADV_POPULATE_READ);
	errno = saved;
#else
	(void)addr;
	(void)size;
#endif
}

static int uffd_ioctl(unsigned long request, void *arg)
{
	int saved = errno, ret = 0;

	if (ioctl(uffd, request, arg))
		ret = -errno;
	errno = saved;
	return ret;
}

static int uffd_register(unsigned long addr, size_t size, uint64_t mode)
{
	struct uffdio_register reg = { .range = { addr, size }, .mode = mode };

	return uffd_ioctl(UFFDIO_REGISTER, &reg);
}

int uffd_arm(unsigned long addr, size_t size, int prot)
{
	int saved = errno, err;

	err = map_at(addr, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!err)
		err = uffd_register(addr, size,
				    UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP);
	if (!err) {
		madvise((void *)addr, size, MADV_DONTNEED);
		madvise((void *)addr, size, MADV_DONTFORK);
	}
	errno = saved;
	return err;
}

int uffd_hide(unsigned long addr, size_t size, int prot)
{
	int saved = errno, err;

	err = uffd_register(addr, size,
			    UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR |
				    UFFDIO_REGISTER_MODE_WP);
	if (!err && madvise((void *)addr, size, MADV_DONTNEED))
		err = -errno;
	errno = saved;
	return err ? uffd_arm(addr, size, prot) : 0;
}

void uffd_hide_zero_page(unsigned long addr)
{
	int saved = errno;

	madvise((void *)addr, PAGE_SIZE, MADV_DONTNEED);
	errno = saved;
}

/* Has any page of it been touched, as far as can be known? */
static bool was_touched(unsigned long addr, size_t size)
{
	uint64_t entries[64];
	size_t pages = size >> PAGE_SHIFT;

	if (pagemap_fd < 0)
		return true;
	for (size_t i = 0; i < pages; i += ARRAY_SIZE(entries)) {
		size_t n = min(pages - i, ARRAY_SIZE(entries));
		ssize_t got = pread(pagemap_fd, entries, n * sizeof(entries[0]),
				    (off_t)(((addr >> PAGE_SHIFT) + i) * sizeof(entries[0])));

		if (got != (ssize_t)(n * sizeof(entries[0])))
			return true;
		for (size_t j = 0; j < n; j++)
			if (entries[j] >> 63)
				return true;
	}
	return false;
}

static int set_protection(unsigned long addr, size_t size, uint64_t mode)
{
	struct uffdio_writeprotect wp = { .range = { addr, size }, .mode = mode };
	int err;

	do {
		err = uffd_ioctl(UFFDIO_WRITEPROTECT, &wp);
	} while (err == -EAGAIN);
	return err;
}

int uffd_protect(unsigned long addr, size_t size, bool *touched)
{
	int saved = errno, err = uffd_register(addr, size, UFFDIO_REGISTER_MODE_WP);

	if (!err)
		err = set_protection(addr, size, UFFDIO_WRITEPROTECT_MODE_WP);
	if (!err)
		*touched = was_touched(addr, size);
	errno = saved;
	return err;
}

void uffd_unprotect(unsigned long addr, size_t size)
{
	set_protection(addr, size, 0);
}

int uffd_zero_page(unsigned long addr)
{
	static const char zeros[PAGE_SIZE] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {
		.dst = addr, .src = (uintptr_t)zeros, .len = PAGE_SIZE, .mode = UFFDIO_COPY_MODE_WP
	};
	int err;

	do {
		err = uffd_ioctl(UFFDIO_COPY, &copy);
	} while (err == -EAGAIN);
	return err == -EEXIST ? 0 : err;
}

void uffd_wake(unsigned long addr, size_t size)
{
	struct uffdio_range range = { addr, size };

	uffd_ioctl(UFFDIO_WAKE, &range);
}
