/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Handlers on a terminal, which is relayed.
 *
 * Main starts the handler and sends the other side of its terminal; until then
 * the client is not looked at, and nothing ends, since its descriptor may be on
 * its way to main.  Then bytes are copied through a buffer for each direction,
 * and a side is read when its buffer is empty: who does not read holds up the
 * other one.
 *
 * A terminal that is read in lines has no way to say that there will be no
 * more but the end-of-file character, control-D.  Said behind an unfinished
 * line it ends that without a newline; so lines that are longer than the kernel
 * keeps are cut in pieces by it, which the reader does not see, and the end of
 * the input is said twice then.  Other than that of a socket, this end is heard
 * once; a shell may yet be there when its command has heard it.  So it is said
 * again, later each time, as long as the handler is there.
 */

#include "frontend/pty.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <asm/termbits.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/active.h"
#include "frontend/dispatch.h"


enum {
	BUFFER_SIZE = 8192,
	PIECE_MAX = 2048,	/* of a line; the kernel keeps 4095 bytes */
	AGAIN_FIRST_MSEC = 1000,
	AGAIN_LAST_MSEC = 64000,
	CONTROL_D = 4,
};

struct buffer {
	size_t start;		/* of what is left to be written, */
	size_t len;		/*   and how much that is */
	char bytes[BUFFER_SIZE];
};

struct pty {
	struct carried carried;	/* the first member */
	struct watch client;
	struct watch master;	/* fd is owned; -1 until main has answered */
	struct timer again;	/* when to say once more that the input ends */
	unsigned again_msec;
	unsigned ends;		/* end-of-file characters to be written first */
	size_t column;		/* bytes written since a line began */
	struct buffer in;	/* from the client */
	struct buffer out;	/* to the client */
	bool input_ended;	/* by the client */
	bool handler_gone;	/* nobody has the terminal open any more */
	bool expired;		/* a deadline passed before main answered */
	enum done_reason reason; /* which one, when expired */
};

static struct pty *
pty_of(struct carried *carried)
{
	return (struct pty *)carried;
}

/* The session of the handler is hung up by the close of its terminal. */
static void
pty_end(struct pty *pty, enum done_reason reason, struct monotime now)
{
	struct loop *loop = pty->carried.carrier->loop;

	timer_disarm(loop_timers(loop), &pty->again);
	loop_disarm(loop, &pty->client);
	loop_disarm(loop, &pty->master);
	if (pty->master.fd != -1)
		close(pty->master.fd);
	pty->carried.lingers = true;
	carried_end(&pty->carried, reason, now);
}

static void
pty_expire(struct carried *carried, enum done_reason reason,
    struct monotime now)
{
	struct pty *pty = pty_of(carried);

	if (pty->master.fd != -1) {
		pty_end(pty, reason, now);
		return;
	}
	pty->expired = true;
	pty->reason = reason;
}

static void
pty_free(struct carried *carried)
{
	free(pty_of(carried));
}

/*
 * The character that ends the input, or CONTROL_D where the program reads
 * every byte as it comes and understands that one, if any; whether it is read
 * in lines.
 */
static bool
end_of_file(const struct pty *pty, uint8_t *character)
{
	struct termios mode;
	bool lines;

	*character = CONTROL_D;
	if (ioctl(pty->master.fd, TCGETS, &mode) == -1)
		return false;
	lines = (mode.c_lflag & ICANON) != 0;
	if (lines && mode.c_cc[VEOF] != 0)
		*character = mode.c_cc[VEOF];
	return lines;
}

/* What was written has moved us along the line. */
static void
column_advance(struct pty *pty, const char *bytes, size_t len)
{
	const char *newline = memrchr(bytes, '\n', len);

	if (newline != NULL)
		pty->column = len - (size_t)(newline + 1 - bytes);
	else
		pty->column += len;
}

/* The end of the input, after all of it. */
static void
input_end(struct pty *pty, struct monotime now)
{
	struct timer_set *timers = loop_timers(pty->carried.carrier->loop);
	uint8_t character;

	if (pty->ends == 0)
		pty->ends = end_of_file(pty, &character) && pty->column > 0 ?
		    2 : 1;
	pty->column = 0;
	timer_arm(timers, &pty->again, monotime_add_msec(now,
	    pty->again_msec));
	if (pty->again_msec < AGAIN_LAST_MSEC)
		pty->again_msec *= 2;
}

/* Write characters that end input, or a piece; false when that has to wait. */
static bool
ends_write(struct pty *pty)
{
	uint8_t character;

	while (pty->ends > 0) {
		end_of_file(pty, &character);
		if (write(pty->master.fd, &character, 1) != 1)
			return false;
		pty->ends--;
	}
	return true;
}

/* Write what the client has said; false when that has to wait. */
static bool
input_write(struct pty *pty, struct monotime now)
{
	struct buffer *in = &pty->in;
	uint8_t character;

	while (ends_write(pty) && in->len > 0) {
		const char *bytes = in->bytes + in->start;
		size_t room = PIECE_MAX - pty->column;
		ssize_t n = write(pty->master.fd, bytes,
		    in->len < room ? in->len : room);

		if (n <= 0)
			return false;
		column_advance(pty, bytes, (size_t)n);
		in->start += (size_t)n;
		in->len -= (size_t)n;
		carried_touch(&pty->carried, now);
		if (pty->column < PIECE_MAX)
			continue;
		pty->column = 0;
		if (end_of_file(pty, &character))
			pty->ends = 1;
	}
	return pty->ends == 0 && in->len == 0;
}

/* Take input as far as the terminal does; false when the client is gone. */
static bool
input_move(struct pty *pty, struct monotime now)
{
	struct buffer *in = &pty->in;

	if (pty->handler_gone) {
		in->len = 0;
		pty->ends = 0;
	} else if (!input_write(pty, now)) {
		return true;
	}
	while (!pty->input_ended && !pty->handler_gone) {
		ssize_t n = recv(pty->carried.client.fd, in->bytes,
		    sizeof(in->bytes), MSG_DONTWAIT);

		if (n == -1)
			return errno == EAGAIN;
		in->start = 0;
		in->len = (size_t)n;
		pty->carried.bytes_in += (uint64_t)n;
		if (n == 0) {
			pty->input_ended = true;
			input_end(pty, now);
		}
		if (!input_write(pty, now))
			break;
	}
	return true;
}

/* The same of output; handler_gone is set when it has ended. */
static bool
output_move(struct pty *pty, struct monotime now)
{
	struct buffer *out = &pty->out;

	for (;;) {
		while (out->len > 0) {
			ssize_t n = send(pty->carried.client.fd,
			    out->bytes + out->start, out->len,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

			if (n == -1)
				return errno == EAGAIN;
			out->start += (size_t)n;
			out->len -= (size_t)n;
			pty->carried.bytes_out += (uint64_t)n;
			carried_touch(&pty->carried, now);
		}
		if (pty->handler_gone)
			return true;

		ssize_t n = read(pty->master.fd, out->bytes,
		    sizeof(out->bytes));

		/* EIO says that the last one has closed it. */
		if (n == -1 && errno == EAGAIN)
			return true;
		out->start = 0;
		out->len = n > 0 ? (size_t)n : 0;
		pty->handler_gone = n <= 0;
	}
}

/*
 * Wait for what is needed.  A client whose end was seen is watched for a reset
 * all the same, which comes without being asked for.
 */
static int
watches_arm(struct pty *pty)
{
	struct loop *loop = pty->carried.carrier->loop;
	bool input_waits = pty->in.len > 0 || pty->ends > 0;
	uint32_t client = EPOLLERR;
	uint32_t master = 0;

	if (pty->out.len > 0)
		client |= EPOLLOUT;
	else if (!pty->handler_gone)
		master |= EPOLLIN;
	if (input_waits)
		master |= EPOLLOUT;
	else if (!pty->input_ended && !pty->handler_gone)
		client |= EPOLLIN;
	if (loop_arm(loop, &pty->client, client) == -1)
		return -1;
	return loop_arm(loop, &pty->master, master);
}

static void
pty_relay(struct pty *pty, struct monotime now)
{
	if (!input_move(pty, now) || !output_move(pty, now))
		pty_end(pty, DONE_RESET, now);
	else if (pty->handler_gone && pty->out.len == 0)
		pty_end(pty, DONE_CLOSED, now);
	else if (watches_arm(pty) == -1)
		pty_end(pty, DONE_FAILED, now);
}

static void
client_ready(void *arg, uint32_t events, struct monotime now)
{
	struct pty *pty = arg;

	/* There is nobody to write to; what was read is all there will be. */
	if ((events & EPOLLERR) != 0 ||
	    ((events & EPOLLHUP) != 0 && pty->input_ended))
		pty_end(pty, DONE_RESET, now);
	else
		pty_relay(pty, now);
}

static void
master_ready(void *arg, uint32_t events, struct monotime now)
{
	struct pty *pty = arg;

	/* Nobody reads it; what was written before is still to be had. */
	if ((events & EPOLLHUP) != 0) {
		pty->in.len = 0;
		pty->ends = 0;
		pty->input_ended = true;
	}
	pty_relay(pty, now);
}

static void
again_due(void *arg, struct monotime now)
{
	struct pty *pty = arg;

	input_end(pty, now);
	pty_relay(pty, now);
}

static void
pty_partner(struct carried *carried, int fd, int error, struct monotime now)
{
	struct pty *pty = pty_of(carried);

	(void)error;
	pty->master.fd = fd;
	if (fd == -1)
		pty_end(pty, DONE_FAILED, now);
	else if (pty->expired)
		pty_end(pty, pty->reason, now);
	else
		pty_relay(pty, now);
}

/* Main counts the handler, and says how it ends. */
static const struct carried_kind pty_kind = {
	.expire = pty_expire,
	.free = pty_free,
	.partner = pty_partner,
};

void
pty_begin(struct acceptor *acc, const struct client *client,
    struct monotime now)
{
	struct pty *pty = calloc(1, sizeof(*pty));
	struct channel_msg *msg;

	if (pty == NULL) {
		close(client->fd);
		return;
	}
	watch_init(&pty->client, client->fd, client_ready, pty);
	watch_init(&pty->master, -1, master_ready, pty);
	timer_init(&pty->again, again_due, pty);
	pty->again_msec = AGAIN_FIRST_MSEC;
	carried_begin(&pty->carried, &acc->carrier, &pty_kind, client, now);
	msg = outbox_add_kept(acc->outbox, CHANNEL_START, client->listener,
	    client->fd);
	dispatch_start(msg, client);
	msg->start.tag = pty->carried.tag;
	active_take(acc, client, now);
}
