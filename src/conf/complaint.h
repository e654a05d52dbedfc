/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What is wrong with a configuration, as data.
 *
 * Complaints are gathered by every stage in any order and come out sorted: by
 * file in the order in which the files were opened, then by line.  The same
 * complaint twice is one: a bad default concerns every service.  No control
 * byte of the configuration gets into a complaint.
 */

#ifndef MINETD_COMPLAINT_H
#define MINETD_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	COMPLAINTS_SHOWN = 100,	/* the others are only counted */
	COMPLAINTS_KEPT = 10000,
};

struct complaints;

/* Somewhere in the configuration. */
struct place {
	uint32_t file;		/* number given by complaints_add_file() */
	uint32_t line;		/* from 1; 0: the file as a whole */
};

struct complaints *complaints_new(void);
void	complaints_free(struct complaints *complaints);

/* Register a file under its name; the numbers count from 0. */
uint32_t complaints_add_file(struct complaints *complaints, const char *path);

/* The name of a registered file; valid as long as the complaints. */
const char *complaints_file(const struct complaints *complaints,
	    uint32_t file);

/* Record an error: key is what it is about, format makes the sentence. */
void	complain(struct complaints *complaints, struct place place,
	    const char *key, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* Record a warning, which does not refuse the configuration. */
void	complain_mildly(struct complaints *complaints, struct place place,
	    const char *key, const char *format, ...)
	    __attribute__((format(printf, 4, 5)));

/* Errors so far, warnings not included. */
size_t	complaints_errors(const struct complaints *complaints);

/* All of them as lines of text, to be freed by the caller; may be "". */
char	*complaints_text(const struct complaints *complaints);

#endif
