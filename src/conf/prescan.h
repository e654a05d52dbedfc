/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Check the form of a configuration file before libconfuse reads it.
 *
 * Pure: bytes to complaints, and to a text of the statements that are sound.
 * libconfuse 3.3 stops at the first error, drifts in its line numbers at each
 * comment, expands ${VAR} and lets several slips pass.  The text made here has
 * no comments, no unknown keys and no `${`, its lines are those of the file,
 * and libconfuse accepts all of it.  A statement with an error is left out,
 * after a complaint, and those behind it are checked all the same.
 */

#ifndef MINETD_PRESCAN_H
#define MINETD_PRESCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/complaint.h"
#include "conf/key.h"

/* A key that was given a value, once per section. */
struct prescan_key {
	const struct key *key;
	uint32_t line;
	bool append;		/* += came first */
};

/* A statement of the top level. */
struct prescan_statement {
	const struct key *key;
	size_t start;		/* in the text of the prescan */
	size_t len;
	uint32_t line;		/* of its first byte in the file */
	size_t first_key;	/* what is set in it, in limits too */
	size_t key_count;
	bool append;		/* of a list: += */
	bool damaged;		/* something in it was left out */
};

struct prescan {
	char *text;		/* owned, as the arrays are */
	size_t len;
	struct prescan_statement *statements;
	size_t statement_count;
	struct prescan_key *keys;
	size_t key_count;
};

/* Check the text of a file; release the result with prescan_fini(). */
void	prescan_init(struct prescan *prescan, const char *text, size_t len,
	    struct complaints *complaints, uint32_t file);
void	prescan_fini(struct prescan *prescan);

#endif
