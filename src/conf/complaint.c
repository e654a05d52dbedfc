/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What is wrong with a configuration, as data.
 *
 * A tree keeps the complaints in order and recognises those that are there
 * already.  Beyond COMPLAINTS_KEPT, which only nonsense reaches, they are
 * counted without a look at their text.
 */

#include "conf/complaint.h"

#include <sys/cdefs.h>
#include <sys/tree.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"

struct complaint {
	RB_ENTRY(complaint) entry;
	struct place place;
	char *text;		/* "KEY: sentence", owned */
};

RB_HEAD(complaint_tree, complaint);

struct complaints {
	struct complaint_tree tree;
	char **files;		/* names, owned */
	uint32_t file_count;
	size_t kept;
	size_t left_out;
	size_t errors;
};

static int
compare_complaints(struct complaint *a, struct complaint *b)
{
	if (a->place.file != b->place.file)
		return a->place.file < b->place.file ? -1 : 1;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	return strcmp(a->text, b->text);
}

/* RB_GENERATE_STATIC needs an __unused that libbsd does not give on Linux. */
RB_GENERATE_INTERNAL(complaint_tree, complaint, entry, compare_complaints,
    __attribute__((unused)) static)

static void
free_complaint(struct complaint *complaint)
{
	free(complaint->text);
	free(complaint);
}

static void
hide_control_bytes(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

/* Returns whether the complaint is a new one. */
static bool __attribute__((format(printf, 4, 0)))
keep_complaint(struct complaints *complaints, struct place place,
    const char *key, const char *format, va_list args)
{
	if (complaints->kept == COMPLAINTS_KEPT) {
		complaints->left_out++;
		return true;
	}
	char sentence[1024];
	vsnprintf(sentence, sizeof(sentence), format, args);
	struct complaint *complaint = heap_new(1, sizeof(*complaint));
	complaint->place = place;
	complaint->text = heap_format("%.80s: %s", key, sentence);
	hide_control_bytes(complaint->text);
	if (RB_INSERT(complaint_tree, &complaints->tree, complaint) != NULL) {
		free_complaint(complaint);
		return false;
	}
	complaints->kept++;
	return true;
}

static void
write_complaint(const struct complaints *complaints, FILE *out,
    const struct complaint *complaint)
{
	struct place place = complaint->place;

	fprintf(out, "%s:", complaints_file(complaints, place.file));
	if (place.line > 0)
		fprintf(out, "%u:", place.line);
	fprintf(out, " %s\n", complaint->text);
}

struct complaints *
complaints_new(void)
{
	struct complaints *complaints = heap_new(1, sizeof(*complaints));

	RB_INIT(&complaints->tree);
	return complaints;
}

void
complaints_free(struct complaints *complaints)
{
	struct complaint *complaint;

	while ((complaint = RB_MIN(complaint_tree, &complaints->tree))) {
		RB_REMOVE(complaint_tree, &complaints->tree, complaint);
		free_complaint(complaint);
	}
	for (uint32_t i = 0; i < complaints->file_count; i++)
		free(complaints->files[i]);
	free(complaints->files);
	free(complaints);
}

uint32_t
complaints_add_file(struct complaints *complaints, const char *path)
{
	uint32_t number = complaints->file_count;

	complaints->files = heap_room(complaints->files, number,
	    sizeof(*complaints->files));
	complaints->files[number] = heap_strndup(path, strlen(path));
	hide_control_bytes(complaints->files[number]);
	complaints->file_count++;
	return number;
}

const char *
complaints_file(const struct complaints *complaints, uint32_t file)
{
	return complaints->files[file];
}

void
complain(struct complaints *complaints, struct place place, const char *key,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (keep_complaint(complaints, place, key, format, args))
		complaints->errors++;
	va_end(args);
}

void
complain_mildly(struct complaints *complaints, struct place place,
    const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep_complaint(complaints, place, key, format, args);
	va_end(args);
}

size_t
complaints_errors(const struct complaints *complaints)
{
	return complaints->errors;
}

char *
complaints_text(const struct complaints *complaints)
{
	struct complaint_tree tree = complaints->tree;
	struct complaint *complaint;
	char *text = NULL;
	size_t len = 0;
	size_t shown = 0;

	FILE *out = open_memstream(&text, &len);
	if (out == NULL)
		return heap_strndup("", 0);
	RB_FOREACH(complaint, complaint_tree, &tree) {
		if (shown == COMPLAINTS_SHOWN)
			break;
		write_complaint(complaints, out, complaint);
		shown++;
	}
	size_t more = complaints->kept + complaints->left_out - shown;
	if (more > 0)
		fprintf(out, "%s: and %zu more\n",
		    complaints_file(complaints, 0), more);
	if (fclose(out) != 0 || text == NULL)
		return heap_strndup("", 0);
	return text;
}
