/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Cut the text of a configuration file into tokens.
 *
 * Pure: bytes to tokens and complaints.  What libconfuse's own scanner gets
 * wrong or lets pass is caught here: strings and comments without an end, NUL
 * bytes, escapes it would misread, words that it would cut short.  A token of
 * which a complaint was made is marked, and must not reach libconfuse.
 */

#ifndef MINETD_SCAN_H
#define MINETD_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/complaint.h"

enum {
	SCAN_VALUE_MAX = 65536,	/* longest word or string */
};

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,		/* without quotes */
	TOKEN_STRING,		/* with its quotes, single or double */
	TOKEN_OPEN,		/* { */
	TOKEN_CLOSE,		/* } */
	TOKEN_LEFT,		/* ( */
	TOKEN_RIGHT,		/* ) */
	TOKEN_EQUAL,		/* = */
	TOKEN_APPEND,		/* += */
	TOKEN_COMMA,
};

struct token {
	enum token_kind kind;
	const char *text;	/* in the file, not terminated */
	size_t len;
	uint32_t line;		/* of its first byte */
	bool first;		/* of its line */
	bool spoilt;		/* a complaint was made */
};

struct scan {
	const char *text;	/* the file, not owned */
	size_t len;
	size_t pos;
	uint32_t line;
	uint32_t file;		/* for complaints */
	struct complaints *complaints;
	bool blank;		/* no token on this line so far */
};

void	scan_init(struct scan *scan, const char *text, size_t len,
	    struct complaints *complaints, uint32_t file);

/* The next token; TOKEN_END again and again when there is none left. */
struct token scan_next(struct scan *scan);

#endif
