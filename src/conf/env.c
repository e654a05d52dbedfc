/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * What a service adds to the environment of its handlers.
 */

#include "conf/env.h"

#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"

enum {
	/* For the variables of section ENVIRONMENT of minetd.conf(5). */
	CONNECTION_RESERVE = 1536,
};

/* An entry of the list, for sorting. */
struct variable {
	const char *text;
	size_t name_len;
	uint32_t index;
};

static int
compare_names(const struct variable *a, const struct variable *b)
{
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return memcmp(a->text, b->text, a->name_len);
}

static int
compare_variables(const void *left, const void *right)
{
	const struct variable *a = left;
	const struct variable *b = right;
	int order = compare_names(a, b);

	return order != 0 ? order : (a->index > b->index) -
		(a->index < b->index);
}

static int
compare_indexes(const void *left, const void *right)
{
	const struct variable *a = left;
	const struct variable *b = right;

	return (a->index > b->index) - (a->index < b->index);
}

/* Keep the last entry of each name; returns how many that are. */
static size_t
drop_replaced(const struct merge *merge, const struct merged *merged,
    struct variable *variables, size_t count)
{
	size_t kept = 0;

	qsort(variables, count, sizeof(*variables), compare_variables);
	for (size_t i = 0; i < count; i++) {
		const struct variable *next =
		    i + 1 < count ? &variables[i + 1] : NULL;
		bool last = next == NULL ||
		    compare_names(&variables[i], next) != 0;

		if (last)
			variables[kept++] = variables[i];
		else if (variables[i].index >= merged->env_inherited)
			merge_complain(merge, merged, KEY_ENV,
			    "sets %.*s twice", (int)variables[i].name_len,
			    variables[i].text);
	}
	qsort(variables, kept, sizeof(*variables), compare_indexes);
	return kept;
}

static size_t
strings_size(const struct conf *conf, struct conf_list list)
{
	size_t size = 0;

	for (uint32_t i = 0; i < list.count; i++)
		size += strlen(conf_string(conf,
		    conf_strings(conf, list)[i])) + 1;
	return size;
}

/* The size of variables that come from the daemon's own environment. */
static size_t
passed_size(const struct conf *conf, struct conf_list names)
{
	size_t size = 0;

	for (uint32_t i = 0; i < names.count; i++) {
		const char *name =
		    conf_string(conf, conf_strings(conf, names)[i]);
		const char *value = getenv(name);

		if (value != NULL)
			size += strlen(name) + strlen(value) + 2;
	}
	return size;
}

void
env_check(const struct merge *merge, struct merged *merged)
{
	struct conf_list *env = &merged->values.identity.env;
	const struct conf *conf = block_conf(merge->block);
	const struct conf_str *items = conf_strings(conf, *env);

	if (env->count < 2)
		return;
	struct variable *variables = heap_new(env->count, sizeof(*variables));
	for (uint32_t i = 0; i < env->count; i++) {
		const char *text = conf_string(conf, items[i]);

		variables[i] = (struct variable){ text, strcspn(text, "="),
			i };
	}
	size_t kept = drop_replaced(merge, merged, variables, env->count);
	struct conf_str *strings = heap_new(kept, sizeof(*strings));
	for (size_t i = 0; i < kept; i++)
		strings[i] = items[variables[i].index];
	free(variables);
	*env = block_add_list(merge->block, strings, kept, sizeof(*strings));
	free(strings);
}

void
env_check_size(const struct merge *merge, const struct merged *merged)
{
	const struct conf *conf = block_conf(merge->block);
	const struct store *values = &merged->values;
	size_t size = CONNECTION_RESERVE +
	    strings_size(conf, values->service.exec) +
	    strings_size(conf, values->identity.env) +
	    passed_size(conf, values->identity.pass_env);

	if (values->service.argv0.offset != 0)
		size += strlen(conf_string(conf, values->service.argv0)) + 1;
	if (size > CONF_EXEC_MAX)
		merge_complain(merge, merged, KEY_EXEC,
		    "arguments and environment are %zu bytes, more than %d",
		    size, CONF_EXEC_MAX);
}
