/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What accept(2) says when it has no connection, and what is to be done then.
 *
 * Linux reports errors of a connection that died in the queue by accept(2), and
 * says nothing else of it: the next one may be fine.  Other errors are of this
 * process or of the machine, and would come again at once: then the listener is
 * left alone for a pause, which grows.  Pure: the errors of one listener in,
 * what to do out.
 */

#ifndef MINETD_ACCEPTFAIL_H
#define MINETD_ACCEPTFAIL_H

#include <stdbool.h>
#include <stdint.h>

enum acceptfail_class {
	ACCEPTFAIL_NEXT,	/* of one connection */
	ACCEPTFAIL_ODD,		/* likewise, and worth a line */
	ACCEPTFAIL_LIMIT,	/* our own limit of descriptors */
	ACCEPTFAIL_TABLE,	/* the machine has too many files open */
	ACCEPTFAIL_MEMORY,
	ACCEPTFAIL_KIND,	/* of one connection, or no stream socket */
	ACCEPTFAIL_BROKEN,	/* the listener is none, or there is a bug */
};

/* Of one listener.  All 0: nothing has failed. */
struct acceptfail {
	uint32_t in_row;	/* errors without a connection in between */
	uint32_t msec;		/* the last pause; 0: none since a connection */
	bool told;		/* main knows that it fails */
};

struct acceptfail_action {
	uint32_t pause_msec;	/* 0: go on with the next connection */
	bool shed;		/* close the next connection first */
	bool tell;		/* main is to be told */
};

enum acceptfail_class acceptfail_classify(int error);

/* Another error. */
struct acceptfail_action acceptfail_note(struct acceptfail *fail, int error);

/* There was a connection.  Returns whether main is to be told that. */
bool	acceptfail_clear(struct acceptfail *fail);

#endif
