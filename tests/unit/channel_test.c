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
	struct channel_msg other = { .version = CHANNEL_VERSION + 1,
		.type = CHANNEL_READY };
	const struct {
		const char *name;
		const void *data;
		size_t len;
		int descriptors;
	} rows[] = {
		{ "short", &good, sizeof(good) - 1, 0 },
		{ "one byte with a descriptor", &good, 1, 1 },
		{ "another version", &other, sizeof(other), 1 },
		{ "two descriptors", &good, sizeof(good), 2 },
		{ "eight descriptors", &good, sizeof(good), 8 },
	};
	int before = descriptors_open();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct channel_item in[CHANNEL_BATCH];

		send_raw(fx->ends[0], &good, sizeof(good), 0);
		send_raw(fx->ends[0], rows[i].data, rows[i].len,
		    rows[i].descriptors);
		int n = channel_recv(fx->ends[1], in, CHANNEL_BATCH);
		if (n != 2 || in[0].msg.type != CHANNEL_READY ||
		    in[1].msg.type != CHANNEL_MALFORMED || in[1].fd != -1)
			fail_msg("%s: %d messages", rows[i].name, n);
		assert_int_equal(descriptors_open(), before);
	}
}

static void
what_is_too_long_is_malformed(void **state)
{
	struct fixture *fx = *state;
	char data[sizeof(struct channel_msg) + 1] = { CHANNEL_VERSION };
	struct channel_item in[1];

	send_raw(fx->ends[0], data, sizeof(data), 0);
	assert_int_equal(channel_recv(fx->ends[1], in, 1), 1);
	assert_int_equal(in[0].msg.type, CHANNEL_MALFORMED);
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
		cmocka_unit_test_setup_teardown(what_is_too_long_is_malformed,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_full_table_is_no_fault_of_the_sender, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
