/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Destinations of the log: none may block, and none may lose a line unsaid.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/log.h"
#include "base/logsink.h"

#define COUNT(rows)	(sizeof(rows) / sizeof(*(rows)))

enum {
	DEADLINE_SEC = 60,	/* SIGALRM ends a test that blocks */
	CONTENT_MAX = 1024 * 1024,
};

/* What a destination was given, and where in it the reader is. */
struct reader {
	char content[CONTENT_MAX];
	size_t len;
};

static char dir[] = "/tmp/minetd-logsink-XXXXXX";
static char destination[64], other[64];
static const char *const path = destination + sizeof("file:") - 1;
static struct reader reader;
static int saved_stderr = -1;

static int
setup_all(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(destination, sizeof(destination), "file:%s/log", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	return saved_stderr == -1 ? -1 : 0;
}

static int
teardown_all(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int
setup(void **state)
{
	(void)state;
	alarm(DEADLINE_SEC);
	reader.len = 0;
	unlink(path);
	unlink(other);
	log_open(destination);
	log_flush();
	unlink(path);
	return log_open(destination);
}

static int
teardown(void **state)
{
	(void)state;
	alarm(0);
	dup2(saved_stderr, STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	log_set_format(LOG_FORMAT_LOGFMT);
	unlink(path);
	unlink(other);
	return 0;
}

static void
put_number(unsigned number, size_t pad)
{
	char text[LOG_LINE_SIZE];
	struct log_line line;

	memset(text, 'x', pad);
	log_begin(&line, LOG_LEVEL_INFO, "note");
	log_uint(&line, "n", number);
	log_strn(&line, "pad", text, pad);
	log_end(&line);
}

/* Read at most max bytes of what there is; returns whether there was any. */
static bool
read_some(int fd, size_t max)
{
	if (max > sizeof(reader.content) - reader.len - 1)
		max = sizeof(reader.content) - reader.len - 1;

	ssize_t n = read(fd, reader.content + reader.len, max);

	if (n > 0)
		reader.len += (size_t)n;
	reader.content[reader.len] = '\0';
	return n > 0;
}

static const char *
read_path(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	reader.len = 0;
	assert_true(fd >= 0);
	while (read_some(fd, SIZE_MAX))
		;
	close(fd);
	return reader.content;
}

/*
 * Every line is whole, and each number from first to last - 1 is either there
 * or counted by a notice that stands exactly in its place.  Returns how many
 * the notices count.
 */
static unsigned
check_numbers(const char *text, unsigned first, unsigned last)
{
	unsigned next = first, lost = 0, n;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		int end = 0;

		assert_int_equal(text[len], '\n');
		if (sscanf(text, "%*[0-9T:.Z-] %n", &end) == EOF || end != 25)
			end = 0;
		if (sscanf(text + end, "note n=%u pad=", &n) == 1) {
			const char *pad = strstr(text, "pad=") + 4;

			pad += strspn(pad, "x");
			/* Or it was empty, or cut. */
			if (strncmp(pad, "\"\"", 2) == 0)
				pad += 2;
			else if (strncmp(pad, "...", 3) == 0)
				pad += 3;
			assert_ptr_equal(pad, text + len);
			assert_int_equal(n, next);
			next++;
		} else {
			assert_int_equal(sscanf(text + end, "lost n=%u ", &n),
			    1);
			assert_memory_equal(text + len - 14, " level=warning",
			    14);
			next += n;
			lost += n;
		}
		text += len + 1;
	}
	assert_int_equal(next, last);
	return lost;
}

/* A pipe of one page in place of standard error; returns its reading end. */
static int
pipe_stderr(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	fcntl(fds[0], F_SETPIPE_SZ, 4096);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return fds[0];
}

static int
socket_stderr(void)
{
	int fds[2];
	int size = 4096;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fds), 0);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	setsockopt(STDERR_FILENO, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	return fds[0];
}

/* Flush and read in turns until all is out. */
static void
drain(int fd)
{
	bool done;

	do
		done = log_flush();
	while (read_some(fd, SIZE_MAX) || !done);
}

static void
test_file_is_private_and_appended(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	unlink(path);
	assert_int_equal(log_open(destination), 0);
	umask(mask);
	put_number(0, 10);
	assert_true(log_flush());
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(log_open(destination), 0);
	put_number(1, 10);
	assert_true(log_flush());
	assert_int_equal(check_numbers(read_path(path), 0, 2), 0);
	assert_int_equal(fcntl(log_fd(), F_GETFD), FD_CLOEXEC);
}

static void
test_more_than_the_buffer_goes_to_a_file_that_takes_it(void **state)
{
	enum { MORE = LOG_BUFFER_SIZE / 50 };

	(void)state;
	for (unsigned i = 0; i < MORE; i++)
		put_number(i, 100);
	assert_true(log_flush());
	assert_int_equal(check_numbers(read_path(path), 0, MORE), 0);
}

static const struct {
	const char *name;
	const char *command;	/* makes the file, the path is $1 */
	int error;
} refused_rows[] = {
	{ "symlink", "ln -s /dev/null $1", ELOOP },
	{ "dangling symlink", "ln -s $1.new $1", ELOOP },
	{ "two links", "touch $1.a && ln $1.a $1", EPERM },
	{ "fifo", "mkfifo $1", ENXIO },
	{ "directory", "mkdir $1", EISDIR },
	{ "somebody else's", "touch $1 && chown 65534 $1", EPERM },
};

static void
test_file_refused(void **state)
{
	char file[64], text[80], command[512];

	(void)state;
	snprintf(file, sizeof(file), "%s/odd", dir);
	snprintf(text, sizeof(text), "file:%s", file);
	for (size_t i = 0; i < COUNT(refused_rows); i++) {
		snprintf(command, sizeof(command), "set -- %s; %s", file,
		    refused_rows[i].command);
		/* Only root gives files away. */
		if (geteuid() != 0 && strstr(command, "chown") != NULL)
			continue;
		assert_int_equal(system(command), 0);
		errno = 0;
		if (log_open(text) != -1 || errno != refused_rows[i].error)
			fail_msg("%s: %d", refused_rows[i].name, errno);
		snprintf(command, sizeof(command), "rm -rf %s %s.*", file,
		    file);
		assert_int_equal(system(command), 0);
	}
	/* The destination before is still in use. */
	put_number(0, 1);
	assert_true(log_flush());
	assert_int_equal(check_numbers(read_path(path), 0, 1), 0);
}

/* A FIFO opens when somebody reads it, and must be refused after that. */
static void
test_fifo_with_reader_refused(void **state)
{
	char text[80];
	int fd;

	(void)state;
	assert_int_equal(mkfifo(other, 0600), 0);
	fd = open(other, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	snprintf(text, sizeof(text), "file:%s", other);
	assert_int_equal(log_open(text), -1);
	assert_int_equal(errno, EPERM);
	close(fd);
}

static void
test_reopen_after_rotation(void **state)
{
	(void)state;
	put_number(0, 10);
	assert_true(log_flush());
	assert_int_equal(rename(path, other), 0);
	/* Until then the lines follow the file. */
	put_number(1, 10);
	assert_true(log_flush());
	assert_int_equal(log_reopen(), 0);
	put_number(2, 10);
	assert_true(log_flush());
	check_numbers(read_path(other), 0, 2);
	check_numbers(read_path(path), 2, 3);
}

static void
test_reopen_fails(void **state)
{
	(void)state;
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(log_reopen(), -1);
	assert_int_equal(errno, ELOOP);
	put_number(0, 10);
	assert_true(log_flush());
	check_numbers(read_path(other), 0, 1);
}

static void
test_file_too_large(void **state)
{
	struct rlimit old, small;
	unsigned lines = 0;
	uint64_t dropped = log_dropped();

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	while (lines < 20)
		put_number(lines++, 100);
	assert_false(log_flush());
	assert_int_equal(log_dropped(), dropped);
	/* The limit ended the file within a line. */
	assert_int_equal(strlen(read_path(path)), 1000);
	assert_int_not_equal(reader.content[999], '\n');
	/* What waits is kept until there is no more room. */
	while (lines < 2000) {
		put_number(lines++, 100);
		assert_false(log_flush());
	}
	assert_true(log_dropped() > dropped);
	assert_int_equal(strlen(read_path(path)), 1000);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(log_flush());
	assert_int_equal(check_numbers(read_path(path), 0, lines),
	    log_dropped() - dropped);
}

/* The torn line goes on where it stopped, since it is the same file. */
static void
test_torn_line_in_the_same_file(void **state)
{
	struct rlimit old, small;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put_number(0, 100);
	put_number(1, 100);
	assert_false(log_flush());
	assert_int_equal(log_reopen(), 0);
	assert_false(log_flush());
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(log_flush());
	check_numbers(read_path(path), 0, 2);
}

static void
test_torn_line_begins_again_elsewhere(void **state)
{
	struct rlimit old, small;
	char text[80];

	(void)state;
	snprintf(text, sizeof(text), "file:%s", other);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put_number(0, 100);
	put_number(1, 100);
	assert_false(log_flush());
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(log_open(text), 0);
	assert_true(log_flush());
	check_numbers(read_path(other), 0, 2);
}

/* With a reader of any mood, and lines of any length. */
static void
check_slow_reader(int fd)
{
	uint64_t dropped = log_dropped();
	unsigned lines = 0;

	srandom(4711);
	assert_false(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
	for (int round = 0; round < 400; round++) {
		for (long n = random() % 30; n > 0; n--)
			put_number(lines++, (size_t)random() %
			    (random() % 10 == 0 ? 4000 : 100));
		log_flush();
		if (random() % 3 == 0)
			read_some(fd, (size_t)random() % 5000);
	}
	/* Others share the description, and expect to wait. */
	assert_false(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK);
	assert_true(log_dropped() > dropped + 10);
	drain(fd);
	assert_int_equal(check_numbers(reader.content, 0, lines),
	    log_dropped() - dropped);
	close(fd);
}

static void
test_slow_pipe(void **state)
{
	int fd = pipe_stderr();

	(void)state;
	assert_int_equal(log_open("stderr"), 0);
	assert_int_not_equal(log_fd(), -1);
	check_slow_reader(fd);
}

static void
test_slow_socket(void **state)
{
	int fd = socket_stderr();

	(void)state;
	assert_int_equal(log_open("stderr"), 0);
	assert_int_equal(log_fd(), -1);
	check_slow_reader(fd);
}

static struct logsink sink;

static void
sink_put(unsigned number, size_t pad)
{
	char text[LOG_LINE_SIZE];
	struct logrecord record = {
		.wall_nsec = INT64_C(1795523885123456789),
		.level = LOG_LEVEL_WARNING,
	};

	record.len = (uint16_t)snprintf(text, sizeof(text), "note n=%u pad=",
	    number);
	memset(text + record.len, 'x', pad);
	record.len = (uint16_t)(record.len + pad);
	logsink_put(&sink, &record, text);
}

static int
setup_sink(void **state)
{
	memset(&sink, 0, sizeof(sink));
	logsink_init(&sink);
	return setup(state);
}

static int
teardown_sink(void **state)
{
	logdest_close(&sink.dest);
	return teardown(state);
}

/* As when /proc is not there or does not let us. */
static void
test_slow_pipe_polled(void **state)
{
	struct logdest dest = { .kind = LOGDEST_STDERR_POLL, .fd = -1 };
	int fd = pipe_stderr();
	unsigned lines = 0;

	(void)state;
	logsink_use(&sink, &dest);
	/* More at once than the pipe takes. */
	while (lines < 20)
		sink_put(lines++, 500);
	assert_false(logsink_flush(&sink));
	for (int round = 0; round < 300; round++) {
		for (long n = random() % 20; n > 0; n--)
			sink_put(lines++, (size_t)random() % 1000);
		logsink_flush(&sink);
		if (random() % 3 == 0)
			read_some(fd, (size_t)random() % 5000);
	}
	assert_true(sink.dropped > 10);
	bool done;
	do
		done = logsink_flush(&sink);
	while (read_some(fd, SIZE_MAX) || !done);
	assert_int_equal(check_numbers(reader.content, 0, lines),
	    sink.dropped);

	/* Nobody reads any more: no signal, and no wait. */
	uint64_t dropped = sink.dropped;

	close(fd);
	sink_put(0, 1);
	assert_true(logsink_flush(&sink));
	assert_int_equal(sink.dropped, dropped + 1);
}

static void
check_reader_gone(int fd)
{
	uint64_t dropped = log_dropped();

	assert_int_equal(log_open("stderr"), 0);
	put_number(0, 100);
	assert_true(log_flush());
	close(fd);
	for (unsigned i = 0; i < 5; i++)
		put_number(i, 100);
	assert_true(log_flush());
	assert_int_equal(log_dropped(), dropped + 5);

	/* It is said as soon as there is somebody to say it to. */
	assert_int_equal(log_open(destination), 0);
	assert_true(log_flush());
	assert_non_null(strstr(read_path(path), " lost n=5 level=warning\n"));
}

static void
test_reader_gone(void **state)
{
	(void)state;
	check_reader_gone(pipe_stderr());
	setup(state);
	check_reader_gone(socket_stderr());
}

static void
test_lines_that_wait_change_destination(void **state)
{
	int fd = pipe_stderr();

	(void)state;
	assert_int_equal(log_open("stderr"), 0);
	for (unsigned i = 0; i < 40; i++)
		put_number(i, 200);
	assert_false(log_flush());
	assert_int_equal(log_open(destination), 0);
	assert_true(log_flush());
	while (read_some(fd, SIZE_MAX))
		;
	close(fd);

	/* The one that was torn is repeated, as a whole. */
	char *cut = strrchr(reader.content, '\n');
	unsigned first = 0;

	assert_non_null(cut);
	cut[1] = '\0';
	for (char *at = reader.content; (at = strchr(at, '\n')) != NULL; at++)
		first++;
	check_numbers(reader.content, 0, first);
	check_numbers(read_path(path), first, 40);
}

static void
test_stderr_that_takes_nothing(void **state)
{
	uint64_t dropped = log_dropped();
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	dup2(fd, STDERR_FILENO);
	close(fd);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(log_open("stderr"), 0);
		for (unsigned i = 0; i < 5000; i++)
			put_number(i, 100);
		/* The ring drops before the first flush, but not after. */
		dropped = log_dropped();
		assert_true(log_flush());
		put_number(0, 100);
		assert_true(log_flush());
		assert_int_equal(log_dropped(), dropped);
		assert_int_equal(log_fd(), -1);
		close(STDERR_FILENO);
	}
}

static void
test_device_full(void **state)
{
	uint64_t dropped = log_dropped();
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	dup2(fd, STDERR_FILENO);
	close(fd);
	assert_int_equal(log_open("stderr"), 0);
	for (unsigned i = 0; i < 1000; i++) {
		put_number(i, 100);
		assert_false(log_flush());
	}
	assert_int_equal(log_open(destination), 0);
	assert_true(log_flush());
	assert_true(log_dropped() > dropped);
	assert_int_equal(check_numbers(read_path(path), 0, 1000),
	    log_dropped() - dropped);
}

/* `minetd 2>log`: what others write there is not overwritten. */
static void
test_stderr_is_a_file(void **state)
{
	int fd = open(other, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	dup2(fd, STDERR_FILENO);
	assert_int_equal(log_open("stderr"), 0);
	assert_int_equal(write(fd, "first\n", 6), 6);
	log_message(LOG_LEVEL_INFO, "second", "x");
	assert_true(log_flush());
	assert_string_equal(read_path(other), "first\nsecond message=x\n");
	close(fd);
}

static void
test_journal(void **state)
{
	int fd = pipe_stderr();
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_int_equal(log_open("stderr"), 0);
	log_message(LOG_LEVEL_ERROR, "a", "x");
	log_message(LOG_LEVEL_WARNING, "b", "x");
	log_message(LOG_LEVEL_INFO, "c", "x");
	drain(fd);
	assert_string_equal(reader.content,
	    "<3>a message=x level=error\n<4>b message=x level=warning\n"
	    "<6>c message=x\n");

	/* Somebody else's journal. */
	reader.len = 0;
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_int_equal(log_open("stderr"), 0);
	log_message(LOG_LEVEL_INFO, "c", "x");
	log_set_format(LOG_FORMAT_JSON);
	log_message(LOG_LEVEL_INFO, "c", "x");
	drain(fd);
	close(fd);
	assert_memory_equal(reader.content, "c message=x\n{\"time\":\"20", 23);
}

static void
test_notice_in_json(void **state)
{
	int fd = pipe_stderr();
	uint64_t dropped = log_dropped();
	char wanted[64];

	(void)state;
	log_set_format(LOG_FORMAT_JSON);
	assert_int_equal(log_open("stderr"), 0);
	for (unsigned i = 0; i < 1000; i++)
		put_number(i, 100);
	drain(fd);
	close(fd);
	snprintf(wanted, sizeof(wanted),
	    "\"level\":\"warning\",\"event\":\"lost\",\"n\":%ju}\n",
	    (uintmax_t)(log_dropped() - dropped));
	assert_non_null(strstr(reader.content, wanted));
	assert_memory_equal(reader.content, "{\"time\":\"", 9);
}

/* A syslog of that type in the directory of the test. */
static int
listen_syslog(int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", other);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* The text of the line in a datagram, whose head is checked. */
static const char *
datagram_text(int fd)
{
	static char datagram[2 * LOG_LINE_SIZE];
	ssize_t n = recv(fd, datagram, sizeof(datagram) - 1, 0);
	char month[4], wanted[64];
	int priority, day, hour, minute, second, pid, end = 0;

	if (n == -1)
		return NULL;
	datagram[n] = '\0';
	assert_null(strpbrk(datagram, "\n\r"));
	assert_int_equal(sscanf(datagram, "<%d>%3[A-Z a-z]%d %d:%d:%d "
	    "minetd[%d]: %n", &priority, month, &day, &hour, &minute, &second,
	    &pid, &end), 7);
	assert_int_equal(priority, LOG_LOCAL3 | LOG_WARNING);
	assert_int_equal(pid, getpid());
	snprintf(wanted, sizeof(wanted), "<%d>%s %2d %02d:%02d:%02d "
	    "minetd[%d]: ", priority, month, day, hour, minute, second, pid);
	assert_memory_equal(datagram, wanted, strlen(wanted));
	return datagram + end;
}

/* All datagrams that wait, as lines. */
static void
read_datagrams(int fd)
{
	const char *text;

	while ((text = datagram_text(fd)) != NULL)
		reader.len += (size_t)snprintf(reader.content + reader.len,
		    sizeof(reader.content) - reader.len, "%s\n", text);
}

static void
use_syslog(void)
{
	struct logdest dest;

	logdest_open_syslog(&dest, other, LOG_LOCAL3);
	logsink_use(&sink, &dest);
}

static void
test_syslog(void **state)
{
	int fd = listen_syslog(SOCK_DGRAM);

	(void)state;
	use_syslog();
	for (unsigned i = 0; i < 3; i++)
		sink_put(i, 10);
	assert_true(logsink_flush(&sink));
	read_datagrams(fd);
	close(fd);
	assert_int_equal(check_numbers(reader.content, 0, 3), 0);
}

/* More than its queue takes (max_dgram_qlen): they wait, the oldest go. */
static void
test_syslog_slow(void **state)
{
	int fd = listen_syslog(SOCK_DGRAM);
	unsigned lines = 0;
	bool done;

	(void)state;
	use_syslog();
	for (int round = 0; round < 20; round++) {
		while (random() % 400 != 0)
			sink_put(lines++, 100);
		logsink_flush(&sink);
		if (random() % 2 == 0)
			read_datagrams(fd);
	}
	assert_true(sink.dropped > 0);
	do {
		done = logsink_flush(&sink);
		read_datagrams(fd);
	} while (!done);
	close(fd);
	assert_int_equal(check_numbers(reader.content, 0, lines),
	    sink.dropped);
}

static void
test_syslog_restarted(void **state)
{
	int fd = listen_syslog(SOCK_DGRAM);

	(void)state;
	use_syslog();
	sink_put(0, 10);
	assert_true(logsink_flush(&sink));
	read_datagrams(fd);
	close(fd);
	unlink(other);
	fd = listen_syslog(SOCK_DGRAM);
	/* What was there once is tried at once. */
	sink_put(1, 10);
	assert_true(logsink_flush(&sink));
	read_datagrams(fd);
	close(fd);
	check_numbers(reader.content, 0, 2);
}

static void
test_syslog_absent(void **state)
{
	static const int64_t backoffs[] = { 1000, 2000, 4000, 8000, 16000,
		30000, 30000 };
	int fd;

	(void)state;
	use_syslog();
	sink_put(0, 10);
	for (size_t i = 0; i < COUNT(backoffs); i++) {
		struct monotime now = monotime_now();

		assert_false(logsink_flush(&sink));
		assert_int_equal(sink.dest.backoff_msec, backoffs[i]);
		assert_in_range(monotime_msec_until(now, sink.dest.retry),
		    backoffs[i], backoffs[i] + 1000);
		/* Not before then. */
		assert_false(logsink_flush(&sink));
		assert_int_equal(sink.dest.backoff_msec, backoffs[i]);
		sink.dest.retry = now;
	}
	assert_int_equal(sink.dropped, 0);
	fd = listen_syslog(SOCK_DGRAM);
	assert_true(logsink_flush(&sink));
	read_datagrams(fd);
	close(fd);
	check_numbers(reader.content, 0, 1);
}

static void
test_syslog_stream(void **state)
{
	int fd = listen_syslog(SOCK_STREAM);
	unsigned lines = 0;

	(void)state;
	use_syslog();
	while (lines < 3)
		sink_put(lines++, 10);
	assert_true(logsink_flush(&sink));

	int conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	assert_true(conn >= 0);
	while (read_some(conn, SIZE_MAX))
		;
	size_t at = 0;

	for (unsigned i = 0; i < lines; i++) {
		const char *text = strstr(reader.content + at, "note n=");
		unsigned n;

		assert_non_null(text);
		assert_memory_equal(reader.content + at, "<156>", 5);
		assert_int_equal(sscanf(text, "note n=%u", &n), 1);
		assert_int_equal(n, i);
		at += strlen(reader.content + at) + 1;
	}
	assert_int_equal(at, reader.len);
	close(conn);

	/* It went away and is there again. */
	reader.len = 0;
	sink_put(lines, 10);
	assert_true(logsink_flush(&sink));
	conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(conn >= 0);
	assert_true(read_some(conn, SIZE_MAX));
	assert_non_null(strstr(reader.content, "note n=3"));
	close(conn);
	close(fd);
}

int
main(void)
{
#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SINK_TEST(name)	\
	cmocka_unit_test_setup_teardown(name, setup_sink, teardown_sink)
	const struct CMUnitTest tests[] = {
		TEST(test_file_is_private_and_appended),
		TEST(test_more_than_the_buffer_goes_to_a_file_that_takes_it),
		TEST(test_file_refused),
		TEST(test_fifo_with_reader_refused),
		TEST(test_reopen_after_rotation),
		TEST(test_reopen_fails),
		TEST(test_file_too_large),
		TEST(test_torn_line_in_the_same_file),
		TEST(test_torn_line_begins_again_elsewhere),
		TEST(test_slow_pipe),
		TEST(test_slow_socket),
		SINK_TEST(test_slow_pipe_polled),
		TEST(test_reader_gone),
		TEST(test_lines_that_wait_change_destination),
		TEST(test_stderr_that_takes_nothing),
		TEST(test_device_full),
		TEST(test_stderr_is_a_file),
		TEST(test_journal),
		TEST(test_notice_in_json),
		SINK_TEST(test_syslog),
		SINK_TEST(test_syslog_slow),
		SINK_TEST(test_syslog_restarted),
		SINK_TEST(test_syslog_absent),
		SINK_TEST(test_syslog_stream),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
