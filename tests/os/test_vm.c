/* SPDX-License-Identifier: MIT */
/* test_vm.c - mmap and friends, with one meaning each. Room under test: os. */

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <kunit/test.h>

#include "os/os.h"
#include "os/vm.h"

#define MIB (1UL << 20)

/* ThreadSanitizer ends the process when a mapping fails at an address that it does not know. */
#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#endif

/* An address where nothing is mapped now: map, remember, unmap. */
static char *free_address(size_t size)
{
	char *addr = os_map(size, MIB);

	os_unmap(addr, size);
	return addr;
}

/* Is the page there, whatever its protection? mincore() fails for a hole. */
static bool is_mapped(void *addr)
{
	unsigned char vec;

	return mincore(addr, os_page_size(), &vec) == 0;
}

KUNIT_TEST(map_at_gives_exactly_the_address_asked_for)
{
	char *addr = free_address(4 * MIB);

	KUNIT_ASSERT_EQ(test, os_map_at(addr, 4 * MIB), 0);
	addr[0] = addr[4 * MIB - 1] = 1;
	KUNIT_EXPECT_EQ(test, os_unmap(addr, 4 * MIB), 0);
	KUNIT_EXPECT_FALSE(test, is_mapped(addr));
}

KUNIT_TEST(map_at_never_replaces_what_is_there)
{
	char *addr = free_address(4 * MIB);

	KUNIT_ASSERT_EQ(test, os_map_at(addr + MIB, os_page_size()), 0);
	addr[MIB] = 42;
	errno = 77;
	KUNIT_EXPECT_EQ(test, os_map_at(addr, 4 * MIB), -EEXIST);
	KUNIT_EXPECT_EQ(test, errno, 77);
	KUNIT_EXPECT_EQ(test, addr[MIB], 42);
	KUNIT_EXPECT_FALSE(test, is_mapped(addr));
}

KUNIT_TEST(neighbouring_mappings_grow_an_edge)
{
	char *addr = free_address(4 * MIB);

	for (unsigned int i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, os_map_at(addr + i * MIB, MIB), 0);
	memset(addr, 1, 4 * MIB);
}

KUNIT_TEST(map_is_aligned_zeroed_and_leaves_no_slack)
{
	uint64_t before = os_vm_size();

	for (size_t align = os_page_size(); align <= 64 * MIB; align *= 4) {
		char *addr = os_map(3 * os_page_size(), align);

		KUNIT_ASSERT_NOT_NULL(test, addr);
		KUNIT_EXPECT_EQ(test, (uintptr_t)addr % align, 0UL);
		KUNIT_EXPECT_EQ(test, addr[3 * os_page_size() - 1], 0);
		KUNIT_EXPECT_EQ(test, os_unmap(addr, 3 * os_page_size()), 0);
	}
	KUNIT_EXPECT_LT(test, os_vm_size(), before + MIB);
	KUNIT_EXPECT_NULL(test, os_map(SIZE_MAX & ~4095UL, MIB));
}

KUNIT_TEST(released_memory_reads_as_zero)
{
	char *addr = os_map(2 * MIB, MIB);

	memset(addr, 0x5a, 2 * MIB);
	KUNIT_EXPECT_EQ(test, os_release(addr, MIB), 0);
	KUNIT_EXPECT_EQ(test, addr[0], 0);
	KUNIT_EXPECT_EQ(test, addr[MIB - 1], 0);
	KUNIT_EXPECT_EQ(test, addr[MIB], 0x5a);
}

KUNIT_TEST(reserve_faults_until_made_writable, .signal = SIGSEGV)
{
	char *addr = os_reserve(MIB, MIB);

	KUNIT_ASSERT_NOT_NULL(test, addr);
	KUNIT_ASSERT_EQ(test, os_protect_rw(addr, os_page_size()), 0);
	addr[0] = 1;
	addr[os_page_size()] = 1;
}

KUNIT_TEST(protect_none_faults, .signal = SIGSEGV)
{
	volatile char *addr = os_map(MIB, MIB);

	addr[0] = 1;
	KUNIT_ASSERT_EQ(test, os_protect_none((void *)addr, os_page_size()), 0);
	(void)addr[0];
}

KUNIT_TEST(remap_moves_the_pages_and_grow_stays)
{
	char *from = os_map(MIB, MIB), *to = free_address(8 * MIB);

	from[0] = 1;
	from[MIB - 1] = 2;
	KUNIT_ASSERT_EQ(test, os_remap(from, MIB, to, 2 * MIB), 0);
	KUNIT_EXPECT_EQ(test, to[0], 1);
	KUNIT_EXPECT_EQ(test, to[MIB - 1], 2);
	KUNIT_EXPECT_EQ(test, to[2 * MIB - 1], 0);
	KUNIT_EXPECT_FALSE(test, is_mapped(from));
	KUNIT_EXPECT_EQ(test, os_remap_grow(to, 2 * MIB, 3 * MIB), 0);
	to[3 * MIB - 1] = 3;
	KUNIT_ASSERT_EQ(test, os_map_at(to + 3 * MIB, os_page_size()), 0);
	KUNIT_EXPECT_EQ(test, os_remap_grow(to, 3 * MIB, 4 * MIB), -ENOMEM);
}

KUNIT_TEST(memfd_pages_are_shared_between_mappings_and_the_fd_can_go)
{
	int fd = os_memfd_create("slabwork-test", 2 * os_page_size());
	char *a = free_address(MIB), *b = a + MIB / 2;

	KUNIT_ASSERT_GE(test, fd, 0);
	KUNIT_ASSERT_EQ(test, os_map_fd_at(a, 2 * os_page_size(), fd, 0, PROT_READ | PROT_WRITE),
			0);
	KUNIT_ASSERT_EQ(test,
			os_map_fd_at(b, os_page_size(), fd, os_page_size(), PROT_READ | PROT_WRITE),
			0);
	KUNIT_EXPECT_EQ(test, os_map_fd_at(b, os_page_size(), fd, 0, PROT_READ), -EEXIST);
	close(fd);
	a[os_page_size()] = 9;
	KUNIT_EXPECT_EQ(test, b[0], 9);
}

KUNIT_TEST(failures_are_numbers_and_leave_errno_alone)
{
	errno = 77;
	KUNIT_EXPECT_EQ(test, os_unmap((void *)1, MIB), -EINVAL);
	KUNIT_EXPECT_EQ(test, os_release((void *)1, MIB), -EINVAL);
	if (!UNDER_TSAN)
		KUNIT_EXPECT_LT(test, os_map_at((void *)(UINTPTR_MAX - 2 * MIB + 1), MIB), 0);
	os_name(NULL, MIB, "nothing there");
	KUNIT_EXPECT_EQ(test, errno, 77);
}

KUNIT_TEST(advice_is_taken)
{
	char *addr = os_map(4 * MIB, 2 * MIB);

	KUNIT_EXPECT_EQ(test, os_dontdump(addr, MIB), 0);
	KUNIT_EXPECT_EQ(test, os_dontfork(addr, MIB), 0);
	KUNIT_EXPECT_EQ(test, os_lock(addr, os_page_size()), 0);
	/* -EINVAL where the kernel has no huge pages. */
	KUNIT_EXPECT_TRUE(test, os_hugepage(addr, 2 * MIB, true) == 0 ||
					os_hugepage(addr, 2 * MIB, true) == -EINVAL);
}
