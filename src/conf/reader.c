/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read a configuration with all that it includes.
 *
 * The files under work are a stack: the innermost is read statement by
 * statement, an include puts the files it names on top, one after the other.
 */

#include "conf/reader.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/parse.h"
#include "conf/prescan.h"
#include "conf/source.h"

enum {
	DEPTH_MAX = 16,
	FILES_MAX = 4096,
	BYTES_MAX = 16 << 20,
};

static const char too_large[] = "makes the configuration larger than 16 MiB";

/* A file under work. */
struct frame {
	const char *path;
	uint32_t file;
	dev_t dev;
	ino_t ino;
	struct prescan prescan;
	size_t next;		/* statement */
	uint32_t include_line;	/* of the include under work */
	glob_t matches;		/* its files */
	size_t next_match;
};

struct reader {
	struct draft *draft;
	struct complaints *complaints;
	struct frame frames[DEPTH_MAX];
	size_t depth;
	size_t files;
	size_t bytes;
	bool too_many;		/* files; one complaint is enough */
};

static struct place
include_place(const struct reader *reader)
{
	const struct frame *frame = &reader->frames[reader->depth - 1];

	return (struct place){ frame->file, frame->include_line };
}

static void
complain_of_include(const struct reader *reader, const char *path,
    const char *sentence)
{
	complain(reader->complaints, include_place(reader), "include",
	    "\"%s\": %s", path, sentence);
}

/* Whether the file is one of those under work. */
static bool
includes_itself(const struct reader *reader, const struct source *source)
{
	for (size_t i = 0; i < reader->depth; i++)
		if (reader->frames[i].dev == source->dev &&
		    reader->frames[i].ino == source->ino)
			return true;
	return false;
}

/* Check the text of a file and put it on the stack. */
static void
push_frame(struct reader *reader, const char *path,
    const struct source *source)
{
	struct frame *frame = &reader->frames[reader->depth++];

	*frame = (struct frame){
		.path = path,
		.file = complaints_add_file(reader->complaints, path),
		.dev = source->dev,
		.ino = source->ino,
	};
	reader->files++;
	reader->bytes += source->len;
	prescan_init(&frame->prescan, source->text, source->len,
	    reader->complaints, frame->file);
}

static void
pop_frame(struct reader *reader)
{
	struct frame *frame = &reader->frames[--reader->depth];

	prescan_fini(&frame->prescan);
	globfree(&frame->matches);
}

static void
open_include(struct reader *reader, const char *path)
{
	struct source source;

	if (reader->files >= FILES_MAX) {
		if (!reader->too_many)
			complain_of_include(reader, path,
			    "is more than the 4096th file");
		reader->too_many = true;
		return;
	}
	if (reader->depth == DEPTH_MAX) {
		complain_of_include(reader, path,
		    "is nested deeper than 16 files");
		return;
	}
	char *sentence = source_init(&source, path,
	    (struct source_limit){ BYTES_MAX - reader->bytes, too_large });
	if (sentence != NULL) {
		complain_of_include(reader, path, sentence);
		free(sentence);
		return;
	}
	if (includes_itself(reader, &source))
		complain_of_include(reader, path, "includes itself");
	else
		push_frame(reader, heap_strndup(path, strlen(path)), &source);
	source_fini(&source);
}

/* The directory of a file, its wildcards escaped, with a slash; or "". */
static char *
directory_pattern(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) + 1 : 0;
	char *pattern = heap_new(2 * len + 1, 1);
	char *end = pattern;

	for (size_t i = 0; i < len; i++) {
		if (strchr("*?[\\", path[i]) != NULL)
			*end++ = '\\';
		*end++ = path[i];
	}
	return pattern;
}

/* A directory that is not there has no files; any other error counts. */
static int
stop_glob(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static void
start_include(struct reader *reader, const char *pattern, uint32_t line)
{
	struct frame *frame = &reader->frames[reader->depth - 1];
	bool wild = strpbrk(pattern, "*?[") != NULL;

	frame->include_line = line;
	if (pattern[0] == '\0') {
		complain_of_include(reader, pattern, "names no file");
		return;
	}
	char *directory = directory_pattern(pattern[0] == '/' ? "" :
								frame->path);
	char *full = heap_format("%s%s", directory, pattern);
	globfree(&frame->matches);
	frame->matches = (glob_t){ 0 };
	frame->next_match = 0;
	/* Without wildcards the name stands for itself, there or not. */
	int error = glob(full, wild ? 0 : GLOB_NOCHECK, stop_glob,
	    &frame->matches);
	if (error == GLOB_NOSPACE)
		_Exit(HEAP_EXHAUSTED);
	if (error == GLOB_ABORTED)
		complain_of_include(reader, pattern, strerror(errno));
	free(full);
	free(directory);
}

static void
next_statement(struct reader *reader)
{
	struct frame *frame = &reader->frames[reader->depth - 1];
	const struct prescan_statement *statement =
	    &frame->prescan.statements[frame->next++];
	const char *pattern = parse_statement(&frame->prescan, statement,
	    frame->file, reader->draft, reader->complaints);

	if (pattern != NULL)
		start_include(reader, pattern, statement->line);
}

static void
next_step(struct reader *reader)
{
	struct frame *frame = &reader->frames[reader->depth - 1];

	if (frame->next_match < frame->matches.gl_pathc)
		open_include(reader,
		    frame->matches.gl_pathv[frame->next_match++]);
	else if (frame->next < frame->prescan.statement_count)
		next_statement(reader);
	else
		pop_frame(reader);
}

void
reader_run(const char *path, struct draft *draft,
    struct complaints *complaints)
{
	struct reader *reader = heap_new(1, sizeof(*reader));
	struct source source;

	reader->draft = draft;
	reader->complaints = complaints;
	char *sentence = source_init(&source, path,
	    (struct source_limit){ BYTES_MAX, too_large });
	if (sentence != NULL) {
		uint32_t file = complaints_add_file(complaints, path);

		complain(complaints, (struct place){ file, 0 }, "file", "%s",
		    sentence);
		free(sentence);
	} else {
		push_frame(reader, path, &source);
		source_fini(&source);
	}
	while (reader->depth > 0)
		next_step(reader);
	free(reader);
}
