/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Lines of log: their form, what is escaped, where they are cut.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define COUNT(rows)	(sizeof(rows) / sizeof(*(rows)))
#define TIME_FORM	"0000-00-00T00:00:00.000Z"

static char dir[] = "/tmp/minetd-log-XXXXXX";
static char destination[64];
static const char *const path = destination + sizeof("file:") - 1;

static int
setup_all(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(destination, sizeof(destination), "file:%s/log", dir);
	return 0;
}

static int
teardown_all(void **state)
{
	(void)state;
	log_open("stderr");
	unlink(path);
	return rmdir(dir);
}

/* Each test begins with an empty file and what is set by default. */
static int
setup(void **state)
{
	(void)state;
	unlink(path);
	log_set_format(LOG_FORMAT_LOGFMT);
	log_set_level(LOG_LEVEL_INFO);
	return log_open(destination);
}

/* Flush, and return the file, which is emptied. */
static const char *
written(size_t *len)
{
	static char content[2 * LOG_BUFFER_SIZE];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t n;

	assert_true(log_flush());
	assert_true(fd >= 0);
	n = read(fd, content, sizeof(content) - 1);
	assert_in_range(n, 0, sizeof(content) - 2);
	content[n] = '\0';
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	if (len != NULL)
		*len = (size_t)n;
	return content;
}

/* Whether text begins with a time in UTC. */
static bool
has_time(const char *text)
{
	for (size_t i = 0; i < sizeof(TIME_FORM) - 1; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';

		if (TIME_FORM[i] == '0' ? !digit : text[i] != TIME_FORM[i])
			return false;
	}
	return true;
}

/* The single line of the file, without what changes: the time. */
static const char *
written_line(void)
{
	const char *begin = written(NULL);
	char *end = strchr(begin, '\n');

	assert_non_null(end);
	assert_int_equal(end[1], '\0');
	*end = '\0';
	if (strncmp(begin, "{\"time\":\"", 9) == 0) {
		assert_true(has_time(begin + 9));
		return begin + 9 + sizeof(TIME_FORM) - 1 + 2;
	}
	assert_true(has_time(begin));
	assert_int_equal(begin[sizeof(TIME_FORM) - 1], ' ');
	return begin + sizeof(TIME_FORM);
}

static void
put_exit(enum log_level level)
{
	struct log_line line;

	log_begin(&line, level, "exit");
	log_str(&line, "service", "echo");
	log_uint(&line, "id", UINT64_MAX);
	log_int(&line, "status", INT64_MIN);
	log_str(&line, "signal", NULL);
	log_secs(&line, "secs", 1.25);
	log_end(&line);
}

static const struct {
	enum log_level level;
	const char *logfmt;
	const char *json;
} level_rows[] = {
	{ LOG_LEVEL_INFO,
	    "exit service=echo id=18446744073709551615 "
	    "status=-9223372036854775808 signal=- secs=1.250",
	    "\"level\":\"info\",\"event\":\"exit\",\"service\":\"echo\","
	    "\"id\":18446744073709551615,\"status\":-9223372036854775808,"
	    "\"signal\":\"-\",\"secs\":1.250}" },
	{ LOG_LEVEL_WARNING,
	    "exit service=echo id=18446744073709551615 "
	    "status=-9223372036854775808 signal=- secs=1.250 level=warning",
	    "\"level\":\"warning\",\"event\":\"exit\",\"service\":\"echo\","
	    "\"id\":18446744073709551615,\"status\":-9223372036854775808,"
	    "\"signal\":\"-\",\"secs\":1.250}" },
	{ LOG_LEVEL_ERROR,
	    "exit service=echo id=18446744073709551615 "
	    "status=-9223372036854775808 signal=- secs=1.250 level=error",
	    "\"level\":\"error\",\"event\":\"exit\",\"service\":\"echo\","
	    "\"id\":18446744073709551615,\"status\":-9223372036854775808,"
	    "\"signal\":\"-\",\"secs\":1.250}" },
};

static void
test_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(level_rows); i++) {
		log_set_format(LOG_FORMAT_LOGFMT);
		put_exit(level_rows[i].level);
		assert_string_equal(written_line(), level_rows[i].logfmt);
		log_set_format(LOG_FORMAT_JSON);
		put_exit(level_rows[i].level);
		assert_string_equal(written_line(), level_rows[i].json);
	}
}

static void
test_level(void **state)
{
	(void)state;
	put_exit(LOG_LEVEL_DEBUG);
	log_message(LOG_LEVEL_DEBUG, "note", "%d", 1);
	assert_string_equal(written(NULL), "");
	log_set_level(LOG_LEVEL_DEBUG);
	log_message(LOG_LEVEL_DEBUG, "note", "%d", 1);
	assert_string_equal(written_line(), "note message=1");
	log_set_level(LOG_LEVEL_ERROR);
	put_exit(LOG_LEVEL_WARNING);
	assert_string_equal(written(NULL), "");
	put_exit(LOG_LEVEL_ERROR);
	assert_non_null(strstr(written_line(), " level=error"));
}

static const struct {
	double value;
	const char *wanted;
} secs_rows[] = {
	{ 0, "0.000" },
	{ 0.0004, "0.000" },
	{ 0.0005, "0.001" },
	{ 0.999, "0.999" },
	{ 0.9996, "1.000" },
	{ 59.07, "59.070" },
	{ 86400 * 365.0, "31536000.000" },
	{ -0.0001, "0.000" },
	{ -2.5, "-2.500" },
	{ 1e14, "100000000000000.000" },
	{ 1e300, "0.000" },
	{ -INFINITY, "0.000" },
	{ NAN, "0.000" },
};

static void
test_secs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(secs_rows); i++) {
		char wanted[64];
		struct log_line line;

		snprintf(wanted, sizeof(wanted), "note s=%s",
		    secs_rows[i].wanted);
		log_begin(&line, LOG_LEVEL_INFO, "note");
		log_secs(&line, "s", secs_rows[i].value);
		log_end(&line);
		assert_string_equal(written_line(), wanted);
	}
}

/* Any bytes, with their length, because they may hold a NUL. */
#define BYTES(text)	text, sizeof(text) - 1

static const struct {
	const char *name;
	const char *value;
	size_t len;
	const char *logfmt;
	const char *json;
} escape_rows[] = {
	{ "plain", BYTES("abc"), "abc", "\"abc\"" },
	{ "empty", BYTES(""), "\"\"", "\"\"" },
	{ "dash", BYTES("-"), "-", "\"-\"" },
	{ "address", BYTES("tcp://[::1%lo]:80/?a"), "tcp://[::1%lo]:80/?a",
	    "\"tcp://[::1%lo]:80/?a\"" },
	{ "plain marks", BYTES("!#$%&'()*+,-./:;<>?@[]^_`{|}~"),
	    "!#$%&'()*+,-./:;<>?@[]^_`{|}~",
	    "\"!#$%&'()*+,-./:;<>?@[]^_`{|}~\"" },
	{ "space", BYTES("a b"), "\"a b\"", "\"a b\"" },
	{ "forged field", BYTES("x level=error"), "\"x level=error\"",
	    "\"x level=error\"" },
	{ "equals", BYTES("a=b"), "\"a=b\"", "\"a=b\"" },
	{ "quote", BYTES("a\"b"), "\"a\\\"b\"", "\"a\\\"b\"" },
	{ "forged end", BYTES("\",\"a\":\"b"), "\"\\\",\\\"a\\\":\\\"b\"",
	    "\"\\\",\\\"a\\\":\\\"b\"" },
	{ "backslash", BYTES("a\\nb"), "\"a\\\\nb\"", "\"a\\\\nb\"" },
	{ "newline", BYTES("a\nb"), "\"a\\nb\"", "\"a\\nb\"" },
	{ "return, tab", BYTES("\r\t"), "\"\\r\\t\"", "\"\\r\\t\"" },
	{ "nul", BYTES("a\0b"), "\"a\\x00b\"", "\"a\\u0000b\"" },
	{ "escape", BYTES("\033[2J"), "\"\\x1b[2J\"", "\"\\u001b[2J\"" },
	{ "delete", BYTES("\177"), "\"\\x7f\"", "\"\\u007f\"" },
	{ "percent", BYTES("%s%n"), "%s%n", "\"%s%n\"" },
	{ "two bytes", BYTES("\xc3\xa9"), "\"\xc3\xa9\"", "\"\xc3\xa9\"" },
	{ "three bytes", BYTES("\xe2\x82\xac"), "\"\xe2\x82\xac\"",
	    "\"\xe2\x82\xac\"" },
	{ "four bytes", BYTES("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"",
	    "\"\xf0\x9f\x98\x80\"" },
	{ "last", BYTES("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"",
	    "\"\xf4\x8f\xbf\xbf\"" },
	{ "first C1", BYTES("\xc2\x80"), "\"\\xc2\\x80\"", "\"\\u0080\"" },
	{ "CSI in C1", BYTES("\xc2\x9b" "2J"), "\"\\xc2\\x9b2J\"",
	    "\"\\u009b2J\"" },
	{ "after C1", BYTES("\xc2\xa0"), "\"\xc2\xa0\"", "\"\xc2\xa0\"" },
	{ "raw C1", BYTES("\x9b" "2J"), "\"\\x9b2J\"", "\"\\\\x9b2J\"" },
	{ "latin 1", BYTES("caf\xe9"), "\"caf\\xe9\"", "\"caf\\\\xe9\"" },
	{ "truncated", BYTES("\xe2\x82"), "\"\\xe2\\x82\"",
	    "\"\\\\xe2\\\\x82\"" },
	{ "torn by ascii", BYTES("\xe2\x82" "a"), "\"\\xe2\\x82a\"",
	    "\"\\\\xe2\\\\x82a\"" },
	{ "overlong 2", BYTES("\xc0\xaf"), "\"\\xc0\\xaf\"",
	    "\"\\\\xc0\\\\xaf\"" },
	{ "overlong 3", BYTES("\xe0\x9f\xbf"), "\"\\xe0\\x9f\\xbf\"",
	    "\"\\\\xe0\\\\x9f\\\\xbf\"" },
	{ "overlong 4", BYTES("\xf0\x8f\xbf\xbf"),
	    "\"\\xf0\\x8f\\xbf\\xbf\"",
	    "\"\\\\xf0\\\\x8f\\\\xbf\\\\xbf\"" },
	{ "surrogate", BYTES("\xed\xa0\x80"), "\"\\xed\\xa0\\x80\"",
	    "\"\\\\xed\\\\xa0\\\\x80\"" },
	{ "too high", BYTES("\xf4\x90\x80\x80"), "\"\\xf4\\x90\\x80\\x80\"",
	    "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"" },
	{ "never UTF-8", BYTES("\xff\xfe"), "\"\\xff\\xfe\"",
	    "\"\\\\xff\\\\xfe\"" },
};

static void
put_value(const char *value, size_t len)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_INFO, "note");
	log_strn(&line, "v", value, len);
	log_end(&line);
}

static void
test_escapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(escape_rows); i++) {
		const char *line;

		log_set_format(LOG_FORMAT_LOGFMT);
		put_value(escape_rows[i].value, escape_rows[i].len);
		line = written_line();
		assert_memory_equal(line, "note v=", 7);
		if (strcmp(line + 7, escape_rows[i].logfmt) != 0)
			fail_msg("%s: %s", escape_rows[i].name, line);

		log_set_format(LOG_FORMAT_JSON);
		put_value(escape_rows[i].value, escape_rows[i].len);
		line = strstr(written_line(), ",\"v\":");
		assert_non_null(line);
		line += 5;
		size_t len = strlen(escape_rows[i].json);
		if (strncmp(line, escape_rows[i].json, len) != 0 ||
		    strcmp(line + len, "}") != 0)
			fail_msg("%s: %s", escape_rows[i].name, line);
	}
}

/* Validity in the eyes of the C library. */
static bool
is_utf8(const char *text, size_t len)
{
	static char out[8 * LOG_BUFFER_SIZE];
	iconv_t cd = iconv_open("UTF-32LE", "UTF-8");
	char copy[2 * LOG_LINE_SIZE];
	char *in = copy, *to = out;
	size_t room = sizeof(out);

	assert_true(cd != (iconv_t)-1);
	assert_true(len <= sizeof(copy));
	memcpy(copy, text, len);
	size_t result = iconv(cd, &in, &len, &to, &room);
	iconv_close(cd);
	return result != (size_t)-1;
}

/*
 * Nothing of the lines is a control character, they keep the limit, and those
 * that were put are there.
 */
static void
check_lines(const char *text, int lines)
{
	while (lines-- > 0) {
		size_t len = strcspn(text, "\n");

		assert_int_equal(text[len], '\n');
		assert_true(len < LOG_LINE_SIZE);
		assert_true(is_utf8(text, len));
		for (size_t i = 0; i < len; i++) {
			uint8_t byte = (uint8_t)text[i];

			assert_true(byte >= 0x20 && byte != 0x7f);
			if (byte == 0xc2)
				assert_true((uint8_t)text[i + 1] >= 0xa0);
		}
		text += len + 1;
	}
	assert_int_equal(*text, '\0');
}

/* Another parser's opinion, if there is one; it has to see each line. */
static void
check_json(const char *text, int lines)
{
	FILE *out;
	char command[512];

	if (system("command -v python3 >/dev/null") != 0)
		return;
	snprintf(command, sizeof(command), "python3 -c 'import sys, json\n"
	    "lines = sys.stdin.buffer.read().split(b\"\\n\")[:-1]\n"
	    "assert len(lines) == %d\n"
	    "for line in lines:\n"
	    "  o = json.loads(line.decode(\"utf-8\"))\n"
	    "  assert list(o)[:3] == [\"time\", \"level\", \"event\"]\n'",
	    lines);
	out = popen(command, "w");
	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(pclose(out), 0);
}

/* Bytes with a taste for what is special. */
static size_t
random_value(char *value, size_t size)
{
	static const char *const parts[] = {
		"\xc2\x9b", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\xa0\x80",
		"\"", "\\", "\n", "\033", " ", "=", "}", "abcdefgh", "\xf4",
		"\xe0", "\x80", "\xc2",
	};
	size_t max = (size_t)(random() % 8 == 0 ? 6000 : random() % 60);
	size_t len = 0;

	assert_true(max + 8 < size);
	while (len < max) {
		const char *part = parts[(size_t)random() % COUNT(parts)];

		if (random() % 4 == 0) {
			value[len++] = (char)random();
			continue;
		}
		memcpy(value + len, part, strlen(part));
		len += strlen(part);
	}
	return len;
}

static void
test_generated_bytes(void **state)
{
	enum { LINES = 8, ROUNDS = 300 };
	static char all[ROUNDS * LINES * LOG_LINE_SIZE / 2];
	size_t all_len = 0;

	(void)state;
	srandom(4711);
	for (int round = 0; round < ROUNDS; round++) {
		bool json = round % 2 == 1;
		const char *text;
		size_t len;

		log_set_format(json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
		for (int i = 0; i < LINES; i++) {
			char value[8192];
			struct log_line line;

			log_begin(&line, LOG_LEVEL_WARNING, "note");
			for (long n = random() % 5; n >= 0; n--) {
				/* Objects need different keys. */
				char key[] = { 'a', (char)('a' + n), '\0' };

				log_strn(&line, key, value,
				    random_value(value, sizeof(value)));
			}
			log_int(&line, "n", random());
			log_end(&line);
		}
		text = written(&len);
		check_lines(text, LINES);
		if (json && all_len + len < sizeof(all)) {
			memcpy(all + all_len, text, len + 1);
			all_len += len;
		}
	}

	int lines = 0;

	for (const char *at = all; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_true(lines > LINES * ROUNDS / 4);
	check_json(all, lines);
}

/* Whether the line ends in this, before what always comes last. */
static bool
ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static const struct {
	const char *name;
	const char *unit;	/* repeated to 8000 bytes */
	const char *logfmt_end;
} cut_rows[] = {
	{ "bare", "a", "aaa... level=warning" },
	{ "quoted", "a ", "...\" level=warning" },
	{ "two bytes", "\xc3\xa9", "\xc3\xa9...\" level=warning" },
	{ "three bytes", "\xe2\x82\xac", "\xe2\x82\xac...\" level=warning" },
	{ "four bytes", "\xf0\x9f\x98\x80",
	    "\xf0\x9f\x98\x80...\" level=warning" },
	{ "escapes", "\x01", "\\x01...\" level=warning" },
	{ "quotes", "\"", "\\\"...\" level=warning" },
	{ "C1", "\xc2\x85", "\\xc2\\x85...\" level=warning" },
};

/* One byte more in front of it, each time, moves the cut by one byte. */
static void
put_cut(const char *unit, int shift)
{
	char value[8001] = "";
	struct log_line line;
	size_t len = 0;

	memset(value, 'x', (size_t)shift);
	len = (size_t)shift;
	while (len + strlen(unit) < sizeof(value)) {
		memcpy(value + len, unit, strlen(unit));
		len += strlen(unit);
	}
	log_begin(&line, LOG_LEVEL_WARNING, "note");
	log_strn(&line, "v", value, len);
	log_str(&line, "left", "out");
	log_int(&line, "number", 4711);
	log_end(&line);
}

static void
test_cut_in_a_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cut_rows); i++) {
		for (int shift = 0; shift < 8; shift++) {
			log_set_format(LOG_FORMAT_LOGFMT);
			put_cut(cut_rows[i].unit, shift);
			check_lines(written(NULL), 1);
			put_cut(cut_rows[i].unit, shift);
			if (!ends_in(written_line(), cut_rows[i].logfmt_end))
				fail_msg("%s", cut_rows[i].name);
			log_set_format(LOG_FORMAT_JSON);
			put_cut(cut_rows[i].unit, shift);
			const char *text = written(NULL);
			check_lines(text, 1);
			assert_true(ends_in(text, "...\"}\n"));
			if (shift == 3)
				check_json(text, 1);
		}
	}
}

/* Fields of every kind, until the line takes no more. */
static void
put_many(int kind)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_WARNING, "note");
	for (int i = 0; i < 3000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "a_rather_long_key_%d", i);
		if (kind == 0)
			log_str(&line, key, "");
		else if (kind == 1)
			log_int(&line, key, INT64_MIN + i);
		else if (kind == 2)
			log_secs(&line, key, i);
		else
			log_str(&line, key, kind == 3 ? "x" : "x y");
	}
	log_end(&line);
}

static void
test_cut_between_fields(void **state)
{
	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		const char *text;

		log_set_format(LOG_FORMAT_LOGFMT);
		put_many(kind);
		text = written(NULL);
		check_lines(text, 1);
		assert_non_null(strstr(text, "..."));
		assert_true(ends_in(text, " level=warning\n"));
		log_set_format(LOG_FORMAT_JSON);
		put_many(kind);
		text = written(NULL);
		check_lines(text, 1);
		check_json(text, 1);
		assert_true(ends_in(text, "...\"}\n"));
	}
}

static void
test_message(void **state)
{
	char long_text[3 * LOG_LINE_SIZE];

	(void)state;
	log_message(LOG_LEVEL_ERROR, "reload", "%s:%d: no %s", "a b", 7,
	    "\"end\"");
	assert_string_equal(written_line(),
	    "reload message=\"a b:7: no \\\"end\\\"\" level=error");
	errno = ENOENT;
	log_message(LOG_LEVEL_INFO, "note", "%m");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(written_line(),
	    "note message=\"No such file or directory\"");
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	log_message(LOG_LEVEL_INFO, "note", "%s", long_text);
	assert_true(ends_in(written_line(), "xxx..."));
}

static void
test_errno_field(void **state)
{
	struct log_line line;

	(void)state;
	log_begin(&line, LOG_LEVEL_INFO, "note");
	log_errno(&line, "error", EADDRINUSE);
	log_end(&line);
	assert_string_equal(written_line(),
	    "note error=\"Address already in use\"");
}

static void
test_errno_is_kept(void **state)
{
	struct log_line line;

	(void)state;
	errno = 4711;
	log_begin(&line, LOG_LEVEL_INFO, "note");
	log_str(&line, "a", "b c");
	log_errno(&line, "error", 987654);
	log_secs(&line, "c", 1);
	log_end(&line);
	log_message(LOG_LEVEL_INFO, "note", "%d", 1);
	log_flush();
	assert_int_equal(log_reopen(), 0);
	assert_int_equal(log_open(destination), 0);
	log_dropped();
	log_fd();
	assert_int_equal(errno, 4711);
}

static const struct {
	const char *text;
	bool valid;
} destination_rows[] = {
	{ "stderr", true },
	{ "syslog", true },
	{ "syslog:daemon", true },
	{ "syslog:local0", true },
	{ "syslog:local7", true },
	{ "syslog:auth", true },
	{ "file:/var/log/minetd.log", true },
	{ "", false },
	{ "stdout", false },
	{ "stderr ", false },
	{ "syslog:", false },
	{ "syslog:local8", false },
	{ "syslog:DAEMON", false },
	{ "syslogd", false },
	{ "file:", false },
	{ "file:relative", false },
	{ "file", false },
	{ "/var/log/minetd.log", false },
};

static void
test_destination_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(destination_rows); i++) {
		const char *text = destination_rows[i].text;

		assert_int_equal(log_destination_valid(text),
		    destination_rows[i].valid);
		if (destination_rows[i].valid)
			continue;
		/* And the present one stays. */
		assert_int_equal(log_open(text), -1);
		assert_int_equal(errno, EINVAL);
	}
	put_exit(LOG_LEVEL_INFO);
	assert_string_equal(written_line(), level_rows[0].logfmt);

	char path_long[PATH_MAX + 8];

	memset(path_long, '/', sizeof(path_long));
	memcpy(path_long, "file:", 5);
	path_long[sizeof(path_long) - 1] = '\0';
	assert_false(log_destination_valid(path_long));
}

static void
test_level_names(void **state)
{
	(void)state;
	assert_string_equal(log_level_name(LOG_LEVEL_ERROR), "error");
	assert_string_equal(log_level_name(LOG_LEVEL_WARNING), "warning");
	assert_string_equal(log_level_name(LOG_LEVEL_INFO), "info");
	assert_string_equal(log_level_name(LOG_LEVEL_DEBUG), "debug");
}

static void
test_limit(void **state)
{
	struct log_limit limit = { 0 };
	struct monotime begin = { 5 };
	unsigned long left_out = 99;

	(void)state;
	assert_true(log_limit_pass(&limit, begin, &left_out));
	assert_int_equal(left_out, 0);
	for (int i = 0; i < 7; i++)
		assert_false(log_limit_pass(&limit,
		    monotime_add_msec(begin, i * 1000 + 3999), &left_out));
	assert_true(log_limit_pass(&limit, monotime_add_msec(begin, 10000),
	    &left_out));
	assert_int_equal(left_out, 7);
	assert_false(log_limit_pass(&limit, monotime_add_msec(begin, 19999),
	    &left_out));
	assert_true(log_limit_pass(&limit, monotime_add_msec(begin, 50000),
	    &left_out));
	assert_int_equal(left_out, 1);
	assert_true(log_limit_pass(&limit, monotime_add_msec(begin, 60000),
	    &left_out));
	assert_int_equal(left_out, 0);
}

/* Lines that wait when one image of the process becomes another. */
static void
test_adopted(void **state)
{
	static const char name[] = ".renamed";
	char renamed[PATH_MAX + sizeof(name)];
	int fd = dup(log_fd());

	(void)state;
	assert_int_equal(log_waiting(), 0);
	put_exit(LOG_LEVEL_INFO);
	put_exit(LOG_LEVEL_INFO);
	assert_int_equal(log_waiting(), 2);
	written(NULL);
	assert_int_equal(log_waiting(), 0);

	/* The file goes on under whatever name it has. */
	snprintf(renamed, sizeof(renamed), "%s%s", path, name);
	assert_int_equal(rename(path, renamed), 0);
	assert_int_equal(log_adopt(destination, fd, 3), 0);
	assert_int_equal(log_fd(), fd);
	assert_int_equal(log_waiting(), 3);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rename(renamed, path), 0);
	assert_string_equal(written_line(), "lost n=3 level=warning");
	assert_int_equal(log_dropped(), 3);

	/* Without a descriptor it is opened. */
	assert_int_equal(log_adopt(destination, -1, 0), 0);
	put_exit(LOG_LEVEL_INFO);
	assert_string_equal(written_line(), level_rows[0].logfmt);
	assert_int_equal(log_adopt("nowhere", -1, 0), -1);
	assert_int_equal(errno, EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_line, setup),
		cmocka_unit_test_setup(test_level, setup),
		cmocka_unit_test_setup(test_secs, setup),
		cmocka_unit_test_setup(test_escapes, setup),
		cmocka_unit_test_setup(test_generated_bytes, setup),
		cmocka_unit_test_setup(test_cut_in_a_value, setup),
		cmocka_unit_test_setup(test_cut_between_fields, setup),
		cmocka_unit_test_setup(test_message, setup),
		cmocka_unit_test_setup(test_errno_field, setup),
		cmocka_unit_test_setup(test_errno_is_kept, setup),
		cmocka_unit_test_setup(test_destination_valid, setup),
		cmocka_unit_test_setup(test_level_names, setup),
		cmocka_unit_test_setup(test_limit, setup),
		cmocka_unit_test_setup(test_adopted, setup),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
