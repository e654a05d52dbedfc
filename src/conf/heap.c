/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Memory for the process that reads a configuration.
 *
 * An array of heap_room() has no field for its capacity: it is the power of
 * two at or above its count.
 */

#include "conf/heap.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *
require(void *memory)
{
	if (memory == NULL)
		_exit(HEAP_EXHAUSTED);
	return memory;
}

void *
heap_new(size_t count, size_t size)
{
	return require(calloc(count > 0 ? count : 1, size));
}

void *
heap_room(void *items, size_t count, size_t size)
{
	if (count > 0 && (count & (count - 1)) != 0)
		return items;
	size_t capacity = count > 0 ? 2 * count : 1;
	return require(reallocarray(items, capacity, size));
}

char *
heap_strndup(const char *text, size_t len)
{
	char *copy = heap_new(len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}

char *
heap_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) == -1)
		text = NULL;
	va_end(args);
	return require(text);
}
