/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Convert one value into what the field of its key holds.
 */

#ifndef MINETD_CONVERT_H
#define MINETD_CONVERT_H

#include "conf/store.h"

/* A value on its way. */
struct entry {
	const struct key *key;
	const char *text;
	size_t len;
	void *field;
	void *home;
	struct place place;
	struct block *block;
	struct complaints *complaints; /* NULL: the value is a default */
};

/*
 * Store the value of a scalar in its field, or check an element of a list; what
 * is no such value is a complaint, and stores nothing.
 */
void	convert_scalar(const struct entry *entry);
void	convert_element(const struct entry *entry);

#endif
