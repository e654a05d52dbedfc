/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Read what a service says of itself.
 *
 * Files are read here, once, so that nothing is read for a connection.  They
 * are held to what configuration files are held to.
 */

#include "conf/content.h"

#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"
#include "conf/source.h"

enum {
	CONTENT_MAX = 65536,
};

static const char file_prefix[] = "file:";

static struct conf_bytes
load_file(const struct merge *merge, const struct merged *merged,
    enum key_id id, const char *path)
{
	const struct source_limit limit = {
		CONTENT_MAX, "is longer than 65536 bytes"
	};
	struct source source;
	char *sentence = source_init(&source, path, limit);

	if (sentence != NULL) {
		merge_complain(merge, merged, id, "\"%.200s\": %s", path,
		    sentence);
		free(sentence);
		return (struct conf_bytes){ 0 };
	}
	struct conf_bytes bytes =
	    block_add_bytes(merge->block, source.text, source.len);
	if (bytes.len == 0 && id == KEY_TEXT)
		merge_complain(merge, merged, id, "\"%.200s\": is empty",
		    path);
	source_fini(&source);
	return bytes;
}

/* A copy, to be freed: the block moves when something is added. */
static char *
copy_string(const struct merge *merge, struct conf_str str)
{
	const char *text = conf_string(block_conf(merge->block), str);

	return heap_strndup(text, strlen(text));
}

static void
load_text(const struct merge *merge, struct merged *merged)
{
	struct conf_service *svc = &merged->values.service;
	char *text = copy_string(merge, svc->text);
	const char *path = text + strlen(file_prefix);

	if (strncmp(text, file_prefix, strlen(file_prefix)) != 0)
		svc->text_bytes = block_add_bytes(merge->block, text,
		    strlen(text));
	else if (path[0] != '/')
		merge_complain(merge, merged, KEY_TEXT,
		    "\"%.200s\": must be an absolute path", text);
	else if (!svc->disabled)
		svc->text_bytes = load_file(merge, merged, KEY_TEXT, path);
	free(text);
}

void
content_load(const struct merge *merge, struct merged *merged)
{
	static const enum key_id ids[CONF_BANNERS] = {
		KEY_BANNER, KEY_BANNER_SUCCESS, KEY_BANNER_FAIL,
	};
	struct conf_service *svc = &merged->values.service;

	load_text(merge, merged);
	for (size_t i = 0; i < CONF_BANNERS && !svc->disabled; i++) {
		char *path = copy_string(merge, svc->banner[i]);

		if (path[0] != '\0')
			svc->banner_bytes[i] = load_file(merge, merged, ids[i],
			    path);
		free(path);
	}
}
