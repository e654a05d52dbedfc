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
	READ_MAX = 16 << 20,	/* as source.h has it */
	CONTENT_MAX = 65536,
};

static const char file_prefix[] = "file:";

static struct conf_bytes
load_file(const struct merge *merge, const struct merged *merged,
    enum key_id id, const char *path)
{
	struct conf_bytes bytes = { 0 };
	struct source source;
	char *sentence = source_init(&source, path, READ_MAX);

	if (sentence != NULL) {
		merge_complain(merge, merged, id, "\"%.200s\": %s", path,
		    sentence);
		free(sentence);
		return bytes;
	}
	if (source.len > CONTENT_MAX)
		merge_complain(merge, merged, id,
		    "\"%.200s\": is longer than %d bytes", path, CONTENT_MAX);
	else
		bytes = block_add_bytes(merge->block, source.text, source.len);
	source_fini(&source);
	return bytes;
}

static void
load_text(const struct merge *merge, struct merged *merged)
{
	struct conf_service *svc = &merged->values.service;
	/* A copy: the block moves when something is added. */
	const char *own = conf_string(block_conf(merge->block), svc->text);
	char *text = heap_strndup(own, strlen(own));

	if (strncmp(text, file_prefix, strlen(file_prefix)) != 0)
		svc->text_bytes = block_add_bytes(merge->block, text,
		    strlen(text));
	else if (text[strlen(file_prefix)] == '/')
		svc->text_bytes = load_file(merge, merged, KEY_TEXT,
		    text + strlen(file_prefix));
	else
		merge_complain(merge, merged, KEY_TEXT,
		    "\"%.200s\": must be an absolute path", text);
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
	for (size_t i = 0; i < CONF_BANNERS; i++) {
		const char *own = conf_string(block_conf(merge->block),
		    svc->banner[i]);
		char *path = heap_strndup(own, strlen(own));

		if (path[0] != '\0')
			svc->banner_bytes[i] = load_file(merge, merged, ids[i],
			    path);
		free(path);
	}
}
