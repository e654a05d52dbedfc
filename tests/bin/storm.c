/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * A steady load of clients of an echo service, every one accounted for.
 *
 *	storm -r RATE [-c MAX] [-T SECONDS] [-n COUNT] [-f FILE] ADDRESS...
 *
 *	-r	start RATE requests a second, by the clock: those missed while
 *		the machine stalled are started as soon as it goes on
 *	-c	have MAX open at once (256); starting waits for room
 *	-T	a request may take SECONDS (20)
 *	-n	end after COUNT requests
 *	-f	keep "REQUESTS FAILURES\n", those finished, in FILE, replaced
 *		every 100 ms by renaming FILE.tmp
 *
 * ADDRESS is tcp://HOST:PORT (HOST numeric, IPv6 in brackets) or unix:///PATH;
 * requests go to one after the other.  A request sends a line of its own of
 * 64 bytes, closes the sending side, and wants exactly that line back and then
 * the end of file.  After TERM or INT no more are started, and those open are
 * finished.
 *
 * A failure is a line on standard error as soon as it happens,
 *
 *	failure kind=KIND addr=ADDRESS error="TEXT" after_ms=MSEC
 *
 * where KIND is refused (also: no such socket file), reset, short (the end of
 * file too early), different (other bytes, or more), timeout or other.  A full
 * backlog of a local socket is none: it is tried again until the time is up.
 * The end is a line on standard output, in whole milliseconds rounded up:
 *
 *	requests=N failures=N refused=N reset=N short=N different=N timeout=N
 *	other=N longest_ms=N p50_ms=N p99_ms=N longest_gap_ms=N
 *
 * The times are those of successes, from connect to end of file.  A gap is the
 * time without a success while a request was open all along.
 *
 * Exit status: 0 no failures, 1 some, 64 usage, 71 no resources for storm.
 */

#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	STORM_OK = 0,
	STORM_FAILURES = 1,
	STORM_USAGE = 64,
	STORM_RESOURCES = 71,
};

enum {
	LINE_BYTES = 64,
	RETRY_NSEC = 1000000,
	PROGRESS_NSEC = 100000000,
	NSEC_PER_SEC = 1000000000,
	OTHER_FDS = 16,		/* descriptors besides those of requests */
	STEP_BITS = 6,
	STEPS = 1 << STEP_BITS,
	BUCKETS = 40 * STEPS,
};

enum failure {
	FAILURE_REFUSED,
	FAILURE_RESET,
	FAILURE_SHORT,
	FAILURE_DIFFERENT,
	FAILURE_TIMEOUT,
	FAILURE_OTHER,
	FAILURE_KINDS,
};

static const char *const failure_names[FAILURE_KINDS] = {
	[FAILURE_REFUSED] = "refused",
	[FAILURE_RESET] = "reset",
	[FAILURE_SHORT] = "short",
	[FAILURE_DIFFERENT] = "different",
	[FAILURE_TIMEOUT] = "timeout",
	[FAILURE_OTHER] = "other",
};

enum phase {
	PHASE_BACKLOG,		/* waiting to try connect(2) again */
	PHASE_CONNECT,
	PHASE_SEND,
	PHASE_RECEIVE,
};

static const char *const phase_names[] = {
	[PHASE_BACKLOG] = "backlog full",
	[PHASE_CONNECT] = "connecting",
	[PHASE_SEND] = "sending",
	[PHASE_RECEIVE] = "receiving",
};

struct target {
	const char *text;
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

struct request {
	TAILQ_ENTRY(request) link;	/* among those open, or idle */
	TAILQ_ENTRY(request) wait_link;	/* in PHASE_BACKLOG */
	enum phase phase;
	int fd;				/* -1 when there is none */
	const struct target *target;
	int64_t start_nsec;
	int64_t retry_nsec;		/* in PHASE_BACKLOG */
	char line[LINE_BYTES];
	size_t sent;
	size_t received;
};

TAILQ_HEAD(requests, request);

struct storm {
	long rate;
	long max;
	int64_t limit_nsec;		/* of one request */
	long count;
	const char *progress_path;	/* or NULL */
	char *progress_temp;
	struct target *targets;
	size_t target_count;

	int epoll_fd;
	int timer_fd;
	int signal_fd;
	struct epoll_event *events;
	bool stopping;

	/* Oldest first: all may take as long, so this is also the order in
	 * which their time is up. */
	struct requests open;
	struct requests waiting;	/* those of them in PHASE_BACKLOG */
	struct requests idle;
	long open_count;
	int64_t begin_nsec;
	int64_t progress_nsec;		/* when to write it next */

	long started;
	long finished;
	long failures[FAILURE_KINDS];
	long latencies[BUCKETS];	/* of successes */
	int64_t longest_nsec;
	int64_t gap_begin_nsec;
	int64_t longest_gap_nsec;
};

static void
usage(void)
{
	fprintf(stderr, "usage: storm -r rate [-c max] [-T seconds] "
	    "[-n count] [-f file]\n"
	    "             address ...\n");
	exit(STORM_USAGE);
}

static int64_t
now_nsec(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Rounded up, so that no time looks shorter than it was. */
static int64_t
msec_of(int64_t nsec)
{
	return (nsec + 999999) / 1000000;
}

static long
failures_sum(const struct storm *st)
{
	long sum = 0;
	for (int kind = 0; kind < FAILURE_KINDS; kind++)
		sum += st->failures[kind];
	return sum;
}

/* Latencies: microseconds up to 127 have a bucket each; from there on every
 * power of two has STEPS of them, so that one is at most 1/STEPS too high. */

static size_t
bucket_of(int64_t nsec)
{
	uint64_t usec = (uint64_t)nsec / 1000;
	if (usec < STEPS)
		return usec;
	unsigned shift = 63 - (unsigned)__builtin_clzll(usec) - STEP_BITS;
	size_t bucket = (size_t)shift * STEPS + (usec >> shift);
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* Where the next bucket begins. */
static int64_t
bucket_end_nsec(size_t bucket)
{
	unsigned shift = bucket < STEPS ? 0 : (unsigned)(bucket / STEPS - 1);
	uint64_t step = bucket - (size_t)shift * STEPS;
	return (int64_t)((step + 1) << shift) * 1000;
}

static int64_t
quantile_nsec(const struct storm *st, int percent)
{
	long successes = st->finished - failures_sum(st);
	long rank = (successes * percent + 99) / 100;
	size_t bucket = 0;
	for (long seen = st->latencies[0]; seen < rank;)
		seen += st->latencies[++bucket];
	int64_t end = bucket_end_nsec(bucket);
	return end < st->longest_nsec ? end : st->longest_nsec;
}

/* The end of a request */

static void
finish(struct storm *st, struct request *req, int64_t now)
{
	int64_t gap = now - st->gap_begin_nsec;
	if (gap > st->longest_gap_nsec)
		st->longest_gap_nsec = gap;
	if (req->fd != -1)
		close(req->fd);
	req->fd = -1;
	if (req->phase == PHASE_BACKLOG)
		TAILQ_REMOVE(&st->waiting, req, wait_link);
	TAILQ_REMOVE(&st->open, req, link);
	TAILQ_INSERT_HEAD(&st->idle, req, link);
	st->open_count--;
	st->finished++;
}

static void
succeed(struct storm *st, struct request *req)
{
	int64_t now = now_nsec();
	int64_t taken = now - req->start_nsec;
	st->latencies[bucket_of(taken)]++;
	if (taken > st->longest_nsec)
		st->longest_nsec = taken;
	finish(st, req, now);
	st->gap_begin_nsec = now;
}

static void __attribute__((format(printf, 4, 5)))
fail(struct storm *st, struct request *req, enum failure kind,
    const char *format, ...)
{
	int64_t now = now_nsec();
	char text[256];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fprintf(stderr, "failure kind=%s addr=%s error=\"%s\" after_ms=%jd\n",
	    failure_names[kind], req->target->text, text,
	    (intmax_t)msec_of(now - req->start_nsec));
	st->failures[kind]++;
	finish(st, req, now);
}

static enum failure
failure_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ENOENT:
		return FAILURE_REFUSED;
	case ECONNABORTED:
	case ECONNRESET:
	case EPIPE:
		return FAILURE_RESET;
	case ETIMEDOUT:
		return FAILURE_TIMEOUT;
	default:
		return FAILURE_OTHER;
	}
}

static void
fail_call(struct storm *st, struct request *req, const char *call, int error)
{
	fail(st, req, failure_of(error), "%s: %s", call, strerror(error));
}

/* The way of a request */

static void
watch(struct storm *st, int fd, uint32_t events, void *object)
{
	struct epoll_event event = { .events = events, .data.ptr = object };
	if (epoll_ctl(st->epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1)
		err(STORM_RESOURCES, "epoll_ctl");
}

static void
try_connect(struct storm *st, struct request *req, int64_t now)
{
	const struct target *target = req->target;
	req->phase = PHASE_CONNECT;
	if (connect(req->fd, (const struct sockaddr *)&target->addr,
	    target->addr_len) == 0 || errno == EINPROGRESS) {
		/* Edge-triggered: each step goes on until EAGAIN. */
		watch(st, req->fd, EPOLLIN | EPOLLOUT | EPOLLET, req);
	} else if (errno == EAGAIN && target->addr.ss_family == AF_UNIX) {
		/* Nothing tells when there is room in the backlog. */
		req->phase = PHASE_BACKLOG;
		req->retry_nsec = now + RETRY_NSEC;
		TAILQ_INSERT_TAIL(&st->waiting, req, wait_link);
	} else
		fail_call(st, req, "connect", errno);
}

static void
start(struct storm *st, int64_t now)
{
	struct request *req = TAILQ_FIRST(&st->idle);
	TAILQ_REMOVE(&st->idle, req, link);
	TAILQ_INSERT_TAIL(&st->open, req, link);
	if (st->open_count++ == 0)
		st->gap_begin_nsec = now;
	long number = st->started++;
	req->target = &st->targets[(size_t)number % st->target_count];
	req->phase = PHASE_CONNECT;
	req->start_nsec = now;
	req->sent = req->received = 0;
	memset(req->line, '.', LINE_BYTES);
	int len = snprintf(req->line, LINE_BYTES, "storm %d %ld ", getpid(),
	    number);
	req->line[len] = '.';
	req->line[LINE_BYTES - 1] = '\n';
	req->fd = socket(req->target->addr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (req->fd == -1)
		fail_call(st, req, "socket", errno);
	else
		try_connect(st, req, now);
}

/*
 * A port that nobody listens on can be chosen for the connection's own end,
 * and then it is connected to itself, and echoes.
 */
static bool
is_own_peer(const struct request *req)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	return req->target->addr.ss_family != AF_UNIX &&
	    getsockname(req->fd, (struct sockaddr *)&addr, &len) == 0 &&
	    len == req->target->addr_len &&
	    memcmp(&addr, &req->target->addr, len) == 0;
}

/* The steps return whether the next one can be tried. */

static bool
step_connect(struct storm *st, struct request *req, uint32_t events)
{
	int error = 0;
	socklen_t len = sizeof(error);
	if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0)
		return false;
	if (getsockopt(req->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		fail_call(st, req, "connect", error);
		return false;
	}
	if (is_own_peer(req)) {
		fail(st, req, FAILURE_REFUSED, "connect: nobody but itself");
		return false;
	}
	req->phase = PHASE_SEND;
	return true;
}

static bool
step_send(struct storm *st, struct request *req)
{
	while (req->sent < LINE_BYTES) {
		ssize_t n = send(req->fd, req->line + req->sent,
		    LINE_BYTES - req->sent, MSG_NOSIGNAL);
		if (n == -1) {
			if (errno != EAGAIN)
				fail_call(st, req, "send", errno);
			return false;
		}
		req->sent += (size_t)n;
	}
	/* This fails after a reset only, which is then received. */
	shutdown(req->fd, SHUT_WR);
	req->phase = PHASE_RECEIVE;
	return true;
}

static bool
step_receive(struct storm *st, struct request *req)
{
	char buf[LINE_BYTES + 1];
	ssize_t n = recv(req->fd, buf, sizeof(buf), 0);
	if (n == -1) {
		if (errno != EAGAIN)
			fail_call(st, req, "recv", errno);
		return false;
	}
	size_t left = LINE_BYTES - req->received;
	if (n == 0 && left == 0) {
		succeed(st, req);
		return false;
	}
	if (n == 0) {
		fail(st, req, FAILURE_SHORT,
		    "end of file after %zu of %d bytes", req->received,
		    LINE_BYTES);
		return false;
	}
	if ((size_t)n > left ||
	    memcmp(buf, req->line + req->received, (size_t)n) != 0) {
		fail(st, req, FAILURE_DIFFERENT, "%s within %zu bytes",
		    (size_t)n > left ? "more bytes" : "other bytes",
		    req->received + (size_t)n);
		return false;
	}
	req->received += (size_t)n;
	return true;
}

static void
request_ready(struct storm *st, struct request *req, uint32_t events)
{
	if (req->phase == PHASE_CONNECT && !step_connect(st, req, events))
		return;
	if (req->phase == PHASE_SEND && !step_send(st, req))
		return;
	while (step_receive(st, req))
		;
}

/* What the clock makes due */

static bool
may_start(const struct storm *st)
{
	return !st->stopping && st->started < st->count &&
	    st->open_count < st->max;
}

static int64_t
next_start_nsec(const struct storm *st)
{
	long seconds = st->started / st->rate, rest = st->started % st->rate;
	return st->begin_nsec + (int64_t)seconds * NSEC_PER_SEC +
	    (int64_t)rest * NSEC_PER_SEC / st->rate;
}

static void
start_due(struct storm *st, int64_t now)
{
	while (may_start(st) && next_start_nsec(st) <= now)
		start(st, now);
}

static void
retry_due(struct storm *st, int64_t now)
{
	struct request *req;
	while ((req = TAILQ_FIRST(&st->waiting)) != NULL &&
	    req->retry_nsec <= now) {
		TAILQ_REMOVE(&st->waiting, req, wait_link);
		try_connect(st, req, now);
	}
}

static void
timeout_due(struct storm *st, int64_t now)
{
	struct request *req;
	while ((req = TAILQ_FIRST(&st->open)) != NULL &&
	    req->start_nsec + st->limit_nsec <= now)
		fail(st, req, FAILURE_TIMEOUT,
		    "%s, %zu bytes sent, %zu received",
		    phase_names[req->phase], req->sent, req->received);
}

static void
write_progress(const struct storm *st)
{
	FILE *file = fopen(st->progress_temp, "we");
	if (file == NULL)
		err(STORM_RESOURCES, "%s", st->progress_temp);
	fprintf(file, "%ld %ld\n", st->finished, failures_sum(st));
	if (fclose(file) == EOF)
		err(STORM_RESOURCES, "%s", st->progress_temp);
	if (rename(st->progress_temp, st->progress_path) == -1)
		err(STORM_RESOURCES, "%s", st->progress_path);
}

static void
progress_due(struct storm *st, int64_t now)
{
	if (st->progress_path == NULL || st->progress_nsec > now)
		return;
	write_progress(st);
	st->progress_nsec = now + PROGRESS_NSEC;
}

static void
earlier(int64_t *next, int64_t nsec)
{
	if (nsec < *next)
		*next = nsec;
}

/* Setting the timer also forgets that it has gone off: it is never read. */
static void
arm_timer(struct storm *st)
{
	const struct request *oldest = TAILQ_FIRST(&st->open);
	const struct request *waiting = TAILQ_FIRST(&st->waiting);
	int64_t next = INT64_MAX;
	if (may_start(st))
		earlier(&next, next_start_nsec(st));
	if (oldest != NULL)
		earlier(&next, oldest->start_nsec + st->limit_nsec);
	if (waiting != NULL)
		earlier(&next, waiting->retry_nsec);
	if (st->progress_path != NULL)
		earlier(&next, st->progress_nsec);
	struct itimerspec spec = {
		.it_value.tv_sec = next / NSEC_PER_SEC,
		.it_value.tv_nsec = next % NSEC_PER_SEC,
	};
	if (timerfd_settime(st->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == -1)
		err(STORM_RESOURCES, "timerfd_settime");
}

/* The loop */

static void
signal_ready(struct storm *st)
{
	struct signalfd_siginfo info;
	if (read(st->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		st->stopping = true;
}

static void
wait_ready(struct storm *st)
{
	int n = epoll_wait(st->epoll_fd, st->events, (int)st->max + 2, -1);
	if (n == -1 && errno != EINTR)
		err(STORM_RESOURCES, "epoll_wait");
	for (int i = 0; i < n; i++) {
		void *object = st->events[i].data.ptr;
		if (object == &st->signal_fd)
			signal_ready(st);
		else if (object != &st->timer_fd)
			request_ready(st, object, st->events[i].events);
	}
}

/*
 * A request ends in its own event, or between two calls of wait_ready(), so
 * that no event finds its request replaced by another.
 */
static void
run(struct storm *st)
{
	st->begin_nsec = st->progress_nsec = now_nsec();
	for (;;) {
		int64_t now = now_nsec();
		timeout_due(st, now);
		retry_due(st, now);
		start_due(st, now);
		progress_due(st, now);
		bool more = !st->stopping && st->started < st->count;
		if (!more && st->open_count == 0)
			break;
		arm_timer(st);
		wait_ready(st);
	}
	if (st->progress_path != NULL)
		write_progress(st);
}

static void
print_summary(const struct storm *st)
{
	printf("requests=%ld failures=%ld", st->finished, failures_sum(st));
	for (int kind = 0; kind < FAILURE_KINDS; kind++)
		printf(" %s=%ld", failure_names[kind], st->failures[kind]);
	printf(" longest_ms=%jd p50_ms=%jd p99_ms=%jd longest_gap_ms=%jd\n",
	    (intmax_t)msec_of(st->longest_nsec),
	    (intmax_t)msec_of(quantile_nsec(st, 50)),
	    (intmax_t)msec_of(quantile_nsec(st, 99)),
	    (intmax_t)msec_of(st->longest_gap_nsec));
}

/* Start and end */

static void
parse_tcp(struct target *target, const char *text)
{
	char host[256];
	const char *colon = strrchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		errx(STORM_USAGE, "%s: no port", target->text);
	bool brackets = *text == '[' && colon[-1] == ']';
	snprintf(host, sizeof(host), "%.*s",
	    (int)(colon - text - (brackets ? 2 : 0)), text + brackets);
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *res;
	int error = getaddrinfo(host, colon + 1, &hints, &res);
	if (error != 0)
		errx(STORM_USAGE, "%s: %s", target->text, gai_strerror(error));
	memcpy(&target->addr, res->ai_addr, res->ai_addrlen);
	target->addr_len = res->ai_addrlen;
	freeaddrinfo(res);
}

static void
parse_target(struct target *target, const char *text)
{
	static const char tcp[] = "tcp://", local[] = "unix://";
	target->text = text;
	if (strncmp(text, tcp, sizeof(tcp) - 1) == 0) {
		parse_tcp(target, text + sizeof(tcp) - 1);
		return;
	}
	if (strncmp(text, local, sizeof(local) - 1) != 0)
		usage();
	struct sockaddr_un *un = (struct sockaddr_un *)&target->addr;
	const char *path = text + sizeof(local) - 1;
	size_t len = strlen(path);
	if (len >= sizeof(un->sun_path))
		errx(STORM_USAGE, "%s: too long", text);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len);
	target->addr_len = sizeof(*un);
}

static long
number(const char *text, long max)
{
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (*end != '\0' || errno != 0 || n < 1 || n > max)
		usage();
	return n;
}

static void *
zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory == NULL)
		err(STORM_RESOURCES, NULL);
	return memory;
}

static void
parse_options(struct storm *st, int argc, char **argv)
{
	int ch;
	while ((ch = getopt(argc, argv, "c:f:n:r:T:")) != -1) {
		switch (ch) {
		case 'c':
			st->max = number(optarg, 65536);
			break;
		case 'f':
			st->progress_path = optarg;
			break;
		case 'n':
			st->count = number(optarg, LONG_MAX);
			break;
		case 'r':
			st->rate = number(optarg, 1000000);
			break;
		case 'T':
			st->limit_nsec = number(optarg, 86400) *
			    (int64_t)NSEC_PER_SEC;
			break;
		default:
			usage();
		}
	}
	if (optind == argc || st->rate == 0)
		usage();
	st->target_count = (size_t)(argc - optind);
	st->targets = zeroed(st->target_count, sizeof(st->targets[0]));
	for (size_t i = 0; i < st->target_count; i++)
		parse_target(&st->targets[i], argv[(size_t)optind + i]);
	if (st->progress_path != NULL &&
	    asprintf(&st->progress_temp, "%s.tmp", st->progress_path) == -1)
		err(STORM_RESOURCES, NULL);
}

/* A want of descriptors here must not look like a failure of the service. */
static void
raise_fd_limit(long max)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)max + OTHER_FDS;
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= wanted)
		return;
	if (limit.rlim_max < wanted)
		errx(STORM_RESOURCES, "%ju descriptors wanted, limit %ju",
		    (uintmax_t)wanted, (uintmax_t)limit.rlim_max);
	limit.rlim_cur = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(STORM_RESOURCES, "setrlimit");
}

static void
open_loop(struct storm *st)
{
	/* A shell has INT ignored in the background, which discards it even
	 * when it is blocked. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	st->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	st->timer_fd = timerfd_create(CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	st->signal_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
	if (st->epoll_fd == -1 || st->timer_fd == -1 || st->signal_fd == -1)
		err(STORM_RESOURCES, "epoll, timerfd, signalfd");
	watch(st, st->timer_fd, EPOLLIN, &st->timer_fd);
	watch(st, st->signal_fd, EPOLLIN, &st->signal_fd);
}

int
main(int argc, char **argv)
{
	struct storm st = {
		.max = 256,
		.limit_nsec = 20 * (int64_t)NSEC_PER_SEC,
		.count = LONG_MAX,
		.open = TAILQ_HEAD_INITIALIZER(st.open),
		.waiting = TAILQ_HEAD_INITIALIZER(st.waiting),
		.idle = TAILQ_HEAD_INITIALIZER(st.idle),
	};
	parse_options(&st, argc, argv);
	raise_fd_limit(st.max);
	open_loop(&st);
	struct request *requests = zeroed((size_t)st.max, sizeof(*requests));
	for (long i = 0; i < st.max; i++) {
		requests[i].fd = -1;
		TAILQ_INSERT_TAIL(&st.idle, &requests[i], link);
	}
	st.events = zeroed((size_t)st.max + 2, sizeof(st.events[0]));
	run(&st);
	print_summary(&st);
	int status = failures_sum(&st) == 0 ? STORM_OK : STORM_FAILURES;
	free(st.events);
	free(requests);
	free(st.progress_temp);
	free(st.targets);
	close(st.signal_fd);
	close(st.timer_fd);
	close(st.epoll_fd);
	return status;
}
