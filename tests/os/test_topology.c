/* SPDX-License-Identifier: MIT */
/* test_topology.c - CPUs and nodes agree with libc. Room under test: os. */

#include <sched.h>
#include <unistd.h>
#include <kunit/test.h>

#include "os/os.h"

KUNIT_TEST(counts_agree_with_libc_s)
{
	KUNIT_EXPECT_EQ(test, (long)os_nr_online_cpus(), sysconf(_SC_NPROCESSORS_ONLN));
	KUNIT_EXPECT_GE(test, (long)os_nr_possible_cpus(), sysconf(_SC_NPROCESSORS_CONF));
	KUNIT_EXPECT_GT(test, os_nr_possible_cpus(), (unsigned int)sched_getcpu());
}

KUNIT_TEST(every_cpu_is_on_a_node_there_is)
{
	KUNIT_ASSERT_GE(test, os_nr_nodes(), 1u);
	for (unsigned int cpu = 0; cpu < os_nr_possible_cpus(); cpu++)
		KUNIT_EXPECT_LT(test, os_cpu_node(cpu), os_nr_nodes());
	KUNIT_EXPECT_EQ(test, os_cpu_node(100000), 0u);
	if (os_nr_nodes() == 1) {
		KUNIT_EXPECT_EQ(test, os_current_node(), 0u);
	}
}
