/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What the built-in services say.
 *
 * localtime_r(3) reads the time zone only when nothing has before, and
 * asctime_r(3) knows English only: ctime_r(3) and strftime(3) would look for
 * a new time zone each time.
 */

#include "frontend/answer.h"

#include <string.h>

enum {
	LINE_CHARS = ANSWER_LINE - 2,
	FIRST_CHAR = ' ',
};

/* Seconds from 1900, which RFC 868 counts from, to 1970. */
static const uint32_t epoch_1970 = 2208988800U;

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t
answer_daytime(time_t now, uint8_t *buf, size_t size)
{
	char text[ANSWER_DAYTIME_MAX];
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL || asctime_r(&tm, text) == NULL)
		return 0;

	/* Its last byte is a newline. */
	size_t len = strlen(text) - 1;

	text[len++] = '\r';
	text[len++] = '\n';
	len = smaller(len, size);
	memcpy(buf, text, len);
	return len;
}

void
answer_time(time_t now, uint8_t buf[ANSWER_TIME])
{
	uint32_t seconds = (uint32_t)now + epoch_1970;

	for (int i = 0; i < ANSWER_TIME; i++)
		buf[i] = (uint8_t)(seconds >> (24 - 8 * i));
}

void
answer_chargen_line(uint64_t line, uint8_t buf[ANSWER_LINE])
{
	unsigned first = (unsigned)(line % ANSWER_LINES);

	for (unsigned i = 0; i < LINE_CHARS; i++) {
		unsigned c = first + i;

		buf[i] = (uint8_t)(FIRST_CHAR + c -
		    (c < ANSWER_LINES ? 0 : ANSWER_LINES));
	}
	buf[LINE_CHARS] = '\r';
	buf[LINE_CHARS + 1] = '\n';
}

/* The first lines, as far as they fit. */
static size_t
chargen_make(uint8_t *buf, size_t size)
{
	uint8_t line[ANSWER_LINE];
	size_t len = 0;

	for (uint64_t i = 0; len < size; i++) {
		size_t part = smaller(sizeof(line), size - len);

		answer_chargen_line(i, line);
		memcpy(buf + len, line, part);
		len += part;
	}
	return len;
}

size_t
answer_make(enum conf_builtin builtin, const struct answer_request *request,
    uint8_t *buf, size_t size)
{
	uint8_t binary[ANSWER_TIME];
	size_t len = request->len;

	switch (builtin) {
	case CONF_BUILTIN_ECHO:
		len = smaller(len, size);
		if (len != 0)
			memmove(buf, request->bytes, len);
		return len;
	case CONF_BUILTIN_CHARGEN:
		return chargen_make(buf, smaller(smaller(len, size),
		    ANSWER_DATAGRAM_MAX));
	case CONF_BUILTIN_DAYTIME:
		return answer_daytime(request->now, buf, size);
	case CONF_BUILTIN_TIME:
		answer_time(request->now, binary);
		len = smaller(sizeof(binary), size);
		memcpy(buf, binary, len);
		return len;
	default:
		return 0;
	}
}
