/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read the values that configuration keys take.
 *
 * Pure functions of bytes that need no terminator.  Each returns whether the
 * text is such a value; *value is otherwise untouched.  Ranges are the
 * caller's, except that a value fits its type.
 */

#ifndef MINETD_VALUE_H
#define MINETD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

/* yes no true false on off, in either case. */
bool	value_bool(const char *text, size_t len, bool *value);

/* Decimal, without leading zeros: 0 10 -5.  Not 010, 0x10, +1, 1e3. */
bool	value_number(const char *text, size_t len, int64_t *value);

/* The permission bits of chmod(1): 22, 022, 0666. */
bool	value_octal(const char *text, size_t len, int64_t *value);

/* 250ms 10s 5m 2h 1d, or plain seconds, in milliseconds. */
bool	value_duration(const char *text, size_t len, int64_t *msec);

/*
 * COUNT/TIME[:BURST]: the time a duration, or one of its units alone.  The
 * burst is COUNT where it is not given.
 */
bool	value_rate(const char *text, size_t len, struct conf_rate *rate);

/* 4, 0.75, at most two decimals, in hundredths. */
bool	value_hundredths(const char *text, size_t len, int64_t *hundredths);

/* 100, 64k, 1m, 2g in bytes. */
bool	value_size(const char *text, size_t len, int64_t *bytes);

/*
 * SOFT[:HARD], each a number (with sizes: a size) or "unlimited", which is
 * UINT64_MAX.  Without HARD both are the same.
 */
bool	value_limit(const char *text, size_t len, bool sizes, uint64_t *soft,
	    uint64_t *hard);

/* A name of a service: [A-Za-z0-9._+-], 1 to 64. */
bool	value_service_name(const char *text, size_t len);

/* A name of an environment variable: [A-Za-z_][A-Za-z0-9_]*. */
bool	value_variable(const char *text, size_t len);

/* One of those that say who is connected; see minetd-handler(7). */
bool	value_connection_variable(const char *text, size_t len);

#endif
