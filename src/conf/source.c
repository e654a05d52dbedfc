/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read one file of a configuration, if it is safe to believe it.
 */

#include "conf/source.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/heap.h"

enum {
	READ_TRIES = 2,
};

static char *
errno_sentence(void)
{
	return heap_format("%s", strerror(errno));
}

/* What is wrong with such a file, or NULL. */
static char *
check_stat(const struct stat *st, struct source_limit limit)
{
	if (!S_ISREG(st->st_mode))
		return heap_format("is not a regular file");
	if (geteuid() == 0 && st->st_uid != 0)
		return heap_format("is owned by uid %u, not by root",
		    st->st_uid);
	if (geteuid() == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return heap_format("is writable by others than its owner");
	if (st->st_size < 0 || (size_t)st->st_size > limit.bytes)
		return heap_format("%s", limit.sentence);
	return NULL;
}

/* Read len bytes; a file that is shorter leaves *got behind. */
static int
read_bytes(int fd, char *text, size_t len, size_t *got)
{
	*got = 0;
	while (*got < len) {
		ssize_t n = pread(fd, text + *got, len - *got, (off_t)*got);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == -1 ? -1 : 0;
		*got += (size_t)n;
	}
	return 0;
}

static bool
same_version(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Read what the descriptor has now; *stable: nobody wrote meanwhile. */
static char *
read_version(int fd, struct source *source, struct source_limit limit,
    bool *stable)
{
	struct stat before;
	struct stat after;

	if (fstat(fd, &before) == -1)
		return errno_sentence();
	char *sentence = check_stat(&before, limit);
	if (sentence != NULL)
		return sentence;
	source->text = heap_new((size_t)before.st_size + 1, 1);
	source->dev = before.st_dev;
	source->ino = before.st_ino;
	if (read_bytes(fd, source->text, (size_t)before.st_size,
	    &source->len) == -1 || fstat(fd, &after) == -1)
		return errno_sentence();
	*stable = source->len == (size_t)before.st_size &&
	    same_version(&before, &after);
	return NULL;
}

static char *
read_source(int fd, struct source *source, struct source_limit limit)
{
	for (int i = 0; i < READ_TRIES; i++) {
		bool stable = false;
		char *sentence = read_version(fd, source, limit, &stable);

		if (sentence != NULL || stable)
			return sentence;
		source_fini(source);
	}
	return heap_format("is being written");
}

char *
source_init(struct source *source, const char *path,
    struct source_limit limit)
{
	*source = (struct source){ 0 };
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return errno_sentence();
	char *sentence = read_source(fd, source, limit);
	if (sentence != NULL)
		source_fini(source);
	close(fd);
	return sentence;
}

void
source_fini(struct source *source)
{
	free(source->text);
	*source = (struct source){ 0 };
}
