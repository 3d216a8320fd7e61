/* SPDX-License-Identifier: MIT */
/* test_limits.c - how much memory there is. Room under test: os. */

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <kunit/test.h>

#include "os/os.h"
#include "os/vm.h"
#include "../emulator.h"

KUNIT_TEST(ram_is_some_and_not_more_than_the_machine_has)
{
	uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * os_page_size();

	KUNIT_EXPECT_GT(test, os_total_ram(), 1ULL << 20);
	KUNIT_EXPECT_LE(test, os_total_ram(), ram);
}

KUNIT_TEST(the_address_space_limit_is_the_rlimit)
{
	struct rlimit lim = { 1UL << 40, RLIM_INFINITY };

	skip_if_emulated(test, "no address space limit under an emulator");
	getrlimit(RLIMIT_AS, &lim);
	if (lim.rlim_cur == RLIM_INFINITY) {
		KUNIT_EXPECT_EQ(test, os_rlimit_as(), UINT64_MAX);
	}
	lim.rlim_cur = 1UL << 40;
	KUNIT_ASSERT_EQ(test, setrlimit(RLIMIT_AS, &lim), 0);
	KUNIT_EXPECT_EQ(test, os_rlimit_as(), 1ULL << 40);
}

KUNIT_TEST(vm_size_grows_with_a_mapping)
{
	uint64_t before = os_vm_size();

	KUNIT_ASSERT_GT(test, before, 0ULL);
	KUNIT_ASSERT_NOT_NULL(test, os_map(64UL << 20, 4096));
	KUNIT_EXPECT_GE(test, os_vm_size(), before + (64UL << 20));
}

KUNIT_TEST(task_size_is_a_power_of_two_above_the_stack)
{
	uintptr_t size = os_task_size();

	KUNIT_EXPECT_EQ(test, size & (size - 1), 0UL);
	KUNIT_EXPECT_GT(test, size, (uintptr_t)&size);
	KUNIT_EXPECT_GT(test, size, 1UL << 36);
}

KUNIT_TEST(an_ordinary_program_is_not_secure)
{
	KUNIT_EXPECT_FALSE(test, os_secure_exec());
}
