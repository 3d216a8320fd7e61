/* SPDX-License-Identifier: MIT */
/* test_textbuf.c - text into a buffer that cannot overflow. Room under test: lib. */

#include <stdio.h>
#include <kunit/test.h>

#include "lib/textbuf.h"

KUNIT_TEST(text_that_fits_is_whole)
{
	struct textbuf tb;
	char buf[32];

	tb_init(&tb, buf, sizeof(buf));
	KUNIT_EXPECT_STREQ(test, buf, "");
	tb_puts(&tb, "a=");
	tb_printf(&tb, "%d", 42);
	tb_putc(&tb, '\n');
	KUNIT_EXPECT_STREQ(test, buf, "a=42\n");
	KUNIT_EXPECT_EQ(test, tb.len, 5UL);
	KUNIT_EXPECT_FALSE(test, tb_overflowed(&tb));
}

KUNIT_TEST(overflow_is_cut_counted_and_terminated)
{
	struct textbuf tb;
	char buf[9];

	buf[8] = '#';
	tb_init(&tb, buf, 8);
	tb_printf(&tb, "%s", "12345");
	tb_printf(&tb, "%s", "6789");
	tb_puts(&tb, "abc");
	KUNIT_EXPECT_STREQ(test, buf, "1234567");
	KUNIT_EXPECT_EQ(test, buf[8], '#');
	KUNIT_EXPECT_EQ(test, tb.len, 12UL);
	KUNIT_EXPECT_TRUE(test, tb_overflowed(&tb));
}

KUNIT_TEST(no_buffer_at_all_counts)
{
	struct textbuf tb;

	tb_init(&tb, NULL, 0);
	tb_printf(&tb, "%s", "12345");
	tb_puts(&tb, "678");
	KUNIT_EXPECT_EQ(test, tb.len, 8UL);
}

struct collector {
	char text[256];
	size_t len;
	int calls;
};

static void collect(void *arg, const char *text, size_t len)
{
	struct collector *c = arg;

	memcpy(c->text + c->len, text, len);
	c->len += len;
	c->text[c->len] = '\0';
	c->calls++;
}

KUNIT_TEST(a_stream_gets_all_of_a_text_larger_than_the_buffer)
{
	struct collector c = { .len = 0 };
	struct textbuf tb;
	char buf[8], want[256] = "";
	size_t want_len = 0;

	tb_init_stream(&tb, buf, sizeof(buf), collect, &c);
	for (int i = 0; i < 20; i++) {
		tb_printf(&tb, "%d,", i * i);
		want_len +=
			(size_t)snprintf(want + want_len, sizeof(want) - want_len, "%d,", i * i);
	}
	tb_puts(&tb, "longer than the buffer itself");
	want_len += (size_t)snprintf(want + want_len, sizeof(want) - want_len,
				     "longer than the buffer itself");
	tb_flush(&tb);
	tb_flush(&tb);
	KUNIT_EXPECT_STREQ(test, c.text, want);
	KUNIT_EXPECT_EQ(test, tb.len, want_len);
	KUNIT_EXPECT_GT(test, c.calls, 5);
}
