/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Write a configuration as canonical text.
 *
 * Walks the table of keys: what the table knows is written, defaults too,
 * except keys that have no meaning for what the service does.  What differs
 * from its absence when it is set is left out when it is not: unset lists,
 * `builtin`, `groups`, `nice`, `idle`, `limits`.
 */

#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bug.h"
#include "conf/key.h"
#include "conf/purpose.h"

/* What a row of the table is written from. */
struct dump {
	FILE *out;
	const struct conf *conf;
	const struct conf_service *svc; /* NULL: top level */
	const char *indent;
};

static void
write_quoted(FILE *out, const char *text)
{
	putc('"', out);
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0';
	    p++) {
		if (*p == '\n')
			fputs("\\n", out);
		else if (*p == '\t')
			fputs("\\t", out);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\x%02x", *p);
		else if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else
			putc(*p, out);
	}
	putc('"', out);
}

/* The structure that holds the values of this key. */
static const char *
dump_home(const struct dump *dump, const struct key *key)
{
	switch (key->home) {
	case KEY_HOME_CONF:
		return (const char *)dump->conf;
	case KEY_HOME_SERVICE:
		return (const char *)dump->svc;
	case KEY_HOME_SOCKET:
		return (const char *)conf_socket(dump->conf, dump->svc);
	case KEY_HOME_IDENTITY:
		return (const char *)conf_identity(dump->conf, dump->svc);
	default:
		BUG("a key without a home");
	}
}

/* A number of the field, with the sign that its range has. */
static int64_t
read_number(const struct key *key, const char *field)
{
	uint8_t byte;
	uint16_t half;
	uint32_t word;

	switch (key->size) {
	case sizeof(byte):
		memcpy(&byte, field, sizeof(byte));
		return byte;
	case sizeof(half):
		memcpy(&half, field, sizeof(half));
		return half;
	case sizeof(word):
		memcpy(&word, field, sizeof(word));
		return key->min < 0 ? (int32_t)word : (int64_t)word;
	default:
		BUG("a number of an unknown size");
	}
}

/* Whole seconds are the canonical form of a time that has them. */
static void
write_msec(FILE *out, int64_t msec)
{
	if (msec % 1000 == 0)
		fprintf(out, "\"%" PRId64 "s\"", msec / 1000);
	else
		fprintf(out, "\"%" PRId64 "ms\"", msec);
}

static void
write_rate(FILE *out, const char *field)
{
	struct conf_rate rate;

	memcpy(&rate, field, sizeof(rate));
	if (rate.count == 0)
		fputs("\"\"", out);
	else if (rate.interval_msec % 1000 == 0)
		fprintf(out, "\"%u/%us:%u\"", rate.count,
		    rate.interval_msec / 1000, rate.burst);
	else
		fprintf(out, "\"%u/%ums:%u\"", rate.count,
		    rate.interval_msec, rate.burst);
}

static void
write_hundredths(FILE *out, int64_t number)
{
	fprintf(out, "%" PRId64 ".%02" PRId64, number / 100, number % 100);
}

static void
write_string(const struct dump *dump, const char *field)
{
	struct conf_str str;

	memcpy(&str, field, sizeof(str));
	write_quoted(dump->out, conf_string(dump->conf, str));
}

static void
write_list(const struct dump *dump, struct conf_list list)
{
	const struct conf_str *items = conf_strings(dump->conf, list);

	putc('{', dump->out);
	for (uint32_t i = 0; i < list.count; i++) {
		if (i > 0)
			fputs(", ", dump->out);
		write_quoted(dump->out, conf_string(dump->conf, items[i]));
	}
	putc('}', dump->out);
}

static void
write_stderr(const struct dump *dump)
{
	const struct conf_identity *identity =
	    conf_identity(dump->conf, dump->svc);
	const char *path = conf_string(dump->conf, identity->stderr_path);

	if (identity->stderr_mode == CONF_STDERR_SOCKET) {
		write_quoted(dump->out, "socket");
	} else if (identity->stderr_mode == CONF_STDERR_LOG) {
		write_quoted(dump->out, "log");
	} else if (identity->stderr_mode == CONF_STDERR_NULL) {
		write_quoted(dump->out, "null");
	} else {
		char text[8192];

		snprintf(text, sizeof(text), "file:%s", path);
		write_quoted(dump->out, text);
	}
}

static void
write_scalar(const struct dump *dump, const struct key *key,
    const char *field)
{
	switch (key->kind) {
	case KIND_BOOL:
		fputs(*(const bool *)field ? "yes" : "no", dump->out);
		break;
	case KIND_NUMBER:
	case KIND_SIZE:
	case KIND_SECONDS:
		fprintf(dump->out, "%" PRId64, read_number(key, field));
		break;
	case KIND_MSEC:
		write_msec(dump->out, read_number(key, field));
		break;
	case KIND_OCTAL:
		fprintf(dump->out, "\"%#o\"",
		    (unsigned)read_number(key, field));
		break;
	case KIND_WORD:
		write_quoted(dump->out, key->words[read_number(key, field)]);
		break;
	case KIND_STDERR:
		write_stderr(dump);
		break;
	case KIND_RATE:
		write_rate(dump->out, field);
		break;
	case KIND_HUNDREDTHS:
		write_hundredths(dump->out, read_number(key, field));
		break;
	default:
		write_string(dump, field);
	}
}

static void
write_limit_value(FILE *out, uint64_t value)
{
	if (value == UINT64_MAX)
		fputs("unlimited", out);
	else
		fprintf(out, "%" PRIu64, value);
}

static void
write_limit(const struct dump *dump, const struct conf_limit *limit)
{
	const struct key *key = &keys[KEY_LIMIT_AS];

	while ((uint32_t)key->min != limit->resource)
		key++;
	fprintf(dump->out, "%s\t%s = \"", dump->indent, key->name);
	write_limit_value(dump->out, limit->soft);
	if (limit->soft != limit->hard) {
		putc(':', dump->out);
		write_limit_value(dump->out, limit->hard);
	}
	fputs("\"\n", dump->out);
}

static void
write_limits(const struct dump *dump, const struct key *key)
{
	const struct conf_identity *identity =
	    conf_identity(dump->conf, dump->svc);

	if (identity->limits.count == 0)
		return;
	fprintf(dump->out, "%s%s {\n", dump->indent, key->name);
	for (uint32_t i = 0; i < identity->limits.count; i++)
		write_limit(dump, &conf_limits(dump->conf, identity)[i]);
	fprintf(dump->out, "%s}\n", dump->indent);
}

static void
write_key(const struct dump *dump, const struct key *key)
{
	if (key == &keys[KEY_LIMITS]) {
		write_limits(dump, key);
		return;
	}
	const char *home = dump_home(dump, key);
	const char *field = home + key->offset;
	struct conf_list list = { 0 };
	bool set = key->set_offset != 0 &&
	    *(const bool *)(home + key->set_offset);

	if (key->shape == KEY_LIST)
		memcpy(&list, field, sizeof(list));
	if (!set && (key->set_offset != 0 ||
	    (key->shape == KEY_LIST && list.count == 0)))
		return;
	/* What a service does is one of three keys, or none of them. */
	if (key == &keys[KEY_BUILTIN] && read_number(key, field) == 0)
		return;
	fprintf(dump->out, "%s%s = ", dump->indent, key->name);
	if (key->shape == KEY_LIST)
		write_list(dump, list);
	else
		write_scalar(dump, key, field);
	putc('\n', dump->out);
}

static void
write_keys(const struct dump *dump, unsigned scope)
{
	enum purpose does = dump->svc != NULL ? purpose_of(dump->svc) : 0;

	for (size_t i = 0; i < KEY_COUNT; i++)
		if ((keys[i].scopes & scope) != 0 &&
		    keys[i].home != KEY_HOME_NONE &&
		    key_applies(&keys[i], does))
			write_key(dump, &keys[i]);
}

static void
write_conf(const struct conf *conf, FILE *out)
{
	struct dump top = { out, conf, NULL, "" };

	write_keys(&top, KEY_IN_TOP);
	for (uint32_t i = 0; i < conf->services.count; i++) {
		const struct conf_service *svc = &conf_services(conf)[i];
		struct dump dump = { out, conf, svc, "\t" };

		fputs("\nservice ", out);
		write_quoted(out, conf_string(conf, svc->name));
		fputs(" {\n", out);
		write_keys(&dump, KEY_IN_SERVICE);
		fputs("}\n", out);
	}
}

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int
conf_dump(const struct conf *conf, int fd)
{
	char *text = NULL;
	size_t len = 0;
	int result = -1;

	FILE *out = open_memstream(&text, &len);
	if (out == NULL)
		return -1;
	write_conf(conf, out);
	if (fclose(out) == 0)
		result = write_all(fd, text, len);
	int error = errno;
	free(text);
	errno = error;
	return result;
}
