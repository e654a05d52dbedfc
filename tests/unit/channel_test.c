/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The channel: order, descriptors, and what a captured sender may try.
 */

#include "base/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

/* What crosses of every message but LOG. */
enum { SIZE = offsetof(struct channel_msg, text) };

struct fixture {
	int ends[2];
};

static int
setup(void **state)
{
	static struct fixture fx;

	assert_int_equal(channel_open(fx.ends), 0);
	*state = &fx;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fx = *state;

	close(fx->ends[0]);
	close(fx->ends[1]);
	return 0;
}

static int
descriptors_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
messages_arrive_in_order_with_their_descriptors(void **state)
{
	struct fixture *fx = *state;
	struct channel_item out[3] = { { .fd = -1 }, { .fd = 0 },
		{ .fd = -1 } };
	struct channel_item in[CHANNEL_BATCH];

	for (int i = 0; i < 3; i++) {
		out[i].msg.type = CHANNEL_PING;
		out[i].msg.listener = (uint32_t)i;
	}
	assert_int_equal(channel_send(fx->ends[0], out, 3), 3);
	assert_int_equal(channel_recv(fx->ends[1], in, CHANNEL_BATCH), 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(in[i].msg.listener, i);
		assert_int_equal(in[i].msg.version, CHANNEL_VERSION);
		assert_int_equal(in[i].fd != -1, i == 1);
	}
	assert_int_equal(fcntl(in[1].fd, F_GETFD), FD_CLOEXEC);
	close(in[1].fd);
	assert_int_equal(channel_recv(fx->ends[1], in, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
a_full_channel_says_so_and_loses_nothing(void **state)
{
	struct fixture *fx = *state;
	struct channel_item item = { .fd = -1 };
	uint32_t sent = 0, received = 0;

	item.msg.type = CHANNEL_PONG;
	for (;; sent++) {
		item.msg.listener = sent;
		if (channel_send(fx->ends[0], &item, 1) == -1)
			break;
	}
	assert_int_equal(errno, EAGAIN);
	assert_true(sent > CHANNEL_BATCH);
	while (channel_recv(fx->ends[1], &item, 1) == 1)
		assert_int_equal(item.msg.listener, received++);
	assert_int_equal(received, sent);
}

static void
the_end_comes_after_what_was_sent(void **state)
{
	struct fixture *fx = *state;
	struct channel_item item = { .fd = 0 };
	struct channel_item unread = { .fd = -1 };
	struct channel_item in[CHANNEL_BATCH];

	item.msg.type = CHANNEL_START;
	unread.msg.type = CHANNEL_PING;
	assert_int_equal(channel_send(fx->ends[0], &item, 1), 1);
	/* Unread messages turn the close into a reset. */
	assert_int_equal(channel_send(fx->ends[1], &unread, 1), 1);
	close(fx->ends[0]);
	assert_int_equal(channel_recv(fx->ends[1], in, CHANNEL_BATCH), 1);
	assert_int_equal(in[0].msg.type, CHANNEL_START);
	close(in[0].fd);
	assert_int_equal(channel_recv(fx->ends[1], in, CHANNEL_BATCH), 0);
	fx->ends[0] = dup(0);
}

/* Send len bytes with n descriptors, as only a captured process would. */
static void
send_raw(int fd, const void *data, size_t len, int n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n > 0) {
		hdr.msg_control = &control;
		hdr.msg_controllen = CMSG_LEN((size_t)n * sizeof(int));
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = hdr.msg_controllen;
	}
	assert_int_equal(sendmsg(fd, &hdr, 0), len);
}

static void
malformed_messages_are_marked_and_leak_nothing(void **state)
{
	struct fixture *fx = *state;
	struct channel_msg good = { .version = CHANNEL_VERSION,
		.type = CHANNEL_READY };
	struct channel_msg log = { .version = CHANNEL_VERSION,
		.type = CHANNEL_LOG, .log = { .len = 10 } };
	struct channel_msg long_log = { .version = CHANNEL_VERSION,
		.type = CHANNEL_LOG, .log = { .len = CHANNEL_TEXT + 1 } };
	struct channel_msg other = { .version = CHANNEL_VERSION + 1,
		.type = CHANNEL_READY };
	char data[sizeof(struct channel_msg) + 1] = { 0 };
	const struct {
		const char *name;
		const void *data;
		size_t len;
		int descriptors;
	} rows[] = {
		{ "short", &good, SIZE - 1, 0 },
		{ "long", &good, SIZE + 1, 0 },
		{ "all that there is room for", &good, sizeof(good), 0 },
		{ "more", data, sizeof(data), 0 },
		{ "one byte with a descriptor", &good, 1, 1 },
		{ "another version", &other, SIZE, 1 },
		{ "two descriptors", &good, SIZE, 2 },
		{ "eight descriptors", &good, SIZE, 8 },
		{ "a text that is shorter", &log, SIZE + 9, 0 },
		{ "a text that is longer", &log, SIZE + 11, 0 },
		{ "a text that is none", &log, SIZE, 0 },
		{ "a text that is too long", &long_log, sizeof(long_log), 0 },
	};
	int before = descriptors_open();

	memcpy(data, &good, SIZE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct channel_item in[CHANNEL_BATCH];

		send_raw(fx->ends[0], &good, SIZE, 0);
		send_raw(fx->ends[0], rows[i].data, rows[i].len,
		    rows[i].descriptors);
		int n = channel_recv(fx->ends[1], in, CHANNEL_BATCH);
		if (n != 2 || in[0].msg.type != CHANNEL_READY ||
		    in[1].msg.type != CHANNEL_MALFORMED || in[1].fd != -1)
			fail_msg("%s: %d messages", rows[i].name, n);
		assert_int_equal(descriptors_open(), before);
	}
}

/* What lies behind a text is not sent, and not read. */
static void
a_text_has_its_length(void **state)
{
	static const uint32_t lens[] = { 0, 1, 10, CHANNEL_TEXT };
	struct fixture *fx = *state;
	struct channel_item out = { .fd = -1 };
	struct channel_item in[2];

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		channel_msg_init(&out.msg, CHANNEL_LOG);
		out.msg.log.id = i;
		out.msg.log.len = lens[i];
		memset(out.msg.text, 'x', sizeof(out.msg.text));
		memset(in[0].msg.text, '-', sizeof(in[0].msg.text));
		assert_int_equal(channel_send(fx->ends[0], &out, 1), 1);
		assert_int_equal(channel_recv(fx->ends[1], in, 2), 1);
		assert_int_equal(in[0].msg.type, CHANNEL_LOG);
		assert_int_equal(in[0].msg.log.id, i);
		assert_int_equal(in[0].msg.log.len, lens[i]);
		for (uint32_t k = 0; k < CHANNEL_TEXT; k++)
			assert_int_equal(in[0].msg.text[k],
			    k < lens[i] ? 'x' : '-');
	}
}

static void
bodies_fit(void **state)
{
	(void)state;
	assert_true(sizeof(struct channel_done) <= CHANNEL_BODY);
	assert_true(sizeof(struct channel_loan) <= CHANNEL_BODY);
	assert_true(sizeof(struct channel_start) <= CHANNEL_BODY);
	assert_true(sizeof(struct channel_count) * CHANNEL_COUNTS <=
	    CHANNEL_BODY);
	assert_int_equal(SIZE + CHANNEL_TEXT, sizeof(struct channel_msg));
}

/* Fill the table of descriptors; the count of those opened. */
static int
descriptors_fill(void)
{
	int n = 0;

	while (dup(0) != -1)
		n++;
	return n;
}

static void
a_full_table_is_no_fault_of_the_sender(void **state)
{
	struct fixture *fx = *state;
	struct channel_item item = { .fd = 0 };
	struct rlimit before, low;

	item.msg.type = CHANNEL_START;
	assert_int_equal(channel_send(fx->ends[0], &item, 1), 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	descriptors_fill();
	assert_int_equal(channel_recv(fx->ends[1], &item, 1), 1);
	close_range(32, 63, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(item.msg.type, CHANNEL_START);
	assert_int_equal(item.fd, CHANNEL_FD_LOST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    messages_arrive_in_order_with_their_descriptors, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_full_channel_says_so_and_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_end_comes_after_what_was_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    malformed_messages_are_marked_and_leak_nothing, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(a_text_has_its_length, setup,
		    teardown),
		cmocka_unit_test(bodies_fit),
		cmocka_unit_test_setup_teardown(
		    a_full_table_is_no_fault_of_the_sender, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
