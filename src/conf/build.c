/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Make a configuration of what its files say.
 *
 * Service by service values are converted, merged and checked, and users
 * resolved; then the frontend's user is chosen, which must be none of theirs;
 * then host names are resolved as that user; then listeners are compared.
 */

#include "conf/build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/acls.h"
#include "conf/applies.h"
#include "conf/content.h"
#include "conf/does.h"
#include "conf/env.h"
#include "conf/heap.h"
#include "conf/identity.h"
#include "conf/listen.h"
#include "conf/merge.h"
#include "conf/mux.h"
#include "conf/overlap.h"
#include "conf/privilege.h"
#include "conf/target.h"
#include "conf/times.h"
#include "conf/value.h"

static const char root_pid_file[] = "/run/minetd.pid";

/* A configuration under construction. */
struct build {
	struct merge merge;
	const struct draft *draft;
	struct conf head;
	struct place frontend_place; /* of frontend_user; line 0: not set */
	struct conf_service *services;
	uint32_t service_count;
	struct listeners listeners;
	struct targets targets;
	struct acls *acls;
	struct conf_bytes exempt_acl;
	struct mux_names mux_names;
};

/* The values of the top level. */
static void
build_head(struct build *build)
{
	const struct draft_section *top = &build->draft->top;
	struct block *block = build->merge.block;
	struct store *store = heap_new(1, sizeof(*store));

	store_defaults(store, block);
	if (build->merge.root)
		store->conf.pid_file = block_add_string(block, root_pid_file);
	for (size_t i = 0; i < top->count; i++) {
		const struct draft_setting *setting = &top->settings[i];

		if (setting->key == &keys[KEY_FRONTEND_USER])
			build->frontend_place = setting->place;
		store_setting(store, setting, block, build->merge.complaints);
		if (setting->key == &keys[KEY_EXEMPT])
			acls_add_top(build->acls, &build->merge, setting,
			    &build->exempt_acl);
	}
	build->head = store->conf;
	free(store);
}

static void
check_name(const struct merge *merge, const struct merged *merged)
{
	const char *name = merged->name;

	if (!value_service_name(name, strlen(name)))
		complain(merge->complaints, merged->place, "service",
		    "\"%.80s\": a name is 1 to 64 of A-Z a-z 0-9 . _ + -",
		    name);
}

/* A required list; what was left out with a complaint is not missing. */
static bool
check_required(const struct merge *merge, const struct merged *merged,
    enum key_id id, struct conf_list list)
{
	if (list.count == 0 && (merged->set[id] != NULL || !merged->damaged))
		merge_complain(merge, merged, id,
		    "service \"%s\" needs at least one value", merged->name);
	return list.count > 0;
}

/* The program must be absolute, and is argv[0] unless that is set. */
static void
check_exec(const struct merge *merge, struct merged *merged)
{
	struct conf_service *svc = &merged->values.service;
	const struct conf *conf = block_conf(merge->block);

	if (merged->set[KEY_EXEC] == NULL ||
	    !check_required(merge, merged, KEY_EXEC, svc->exec))
		return;
	struct conf_str program = conf_strings(conf, svc->exec)[0];
	const char *path = conf_string(conf, program);
	if (path[0] != '/' && path[0] != '\0')
		merge_complain(merge, merged, KEY_EXEC,
		    "\"%.200s\": must be an absolute path", path);
	env_check_size(merge, merged);
	if (svc->argv0.offset == 0)
		svc->argv0 = program;
}

/* They were found valid before. */
static void
compile_times(const struct merge *merge, struct merged *merged)
{
	struct conf_service *svc = &merged->values.service;
	struct conf_list list = svc->access_times;
	struct conf_window *windows = heap_new(list.count + 1,
	    sizeof(*windows));

	for (uint32_t i = 0; i < list.count; i++) {
		const struct conf *conf = block_conf(merge->block);
		const char *text = conf_string(conf,
		    conf_strings(conf, list)[i]);

		times_parse(&windows[i], text, strlen(text));
	}
	svc->windows = block_add_list(merge->block, windows, list.count,
	    sizeof(*windows));
	free(windows);
}

static void
add_service(struct build *build, const struct conf_service *svc)
{
	build->services = heap_room(build->services, build->service_count,
	    sizeof(*build->services));
	build->services[build->service_count++] = *svc;
}

/* Merge, check and resolve a service, and add it to the others. */
static void
build_service(struct build *build, const struct draft_section *section,
    struct merged *merged)
{
	struct merge *merge = &build->merge;
	struct block *block = merge->block;
	struct store *values = &merged->values;

	merge_service(merge, section, merged);
	check_name(merge, merged);
	check_required(merge, merged, KEY_LISTEN,
	    values->service.listen_text);
	does_check(merge, merged);
	applies_check(merge, merged);
	env_check(merge, merged);
	check_exec(merge, merged);
	if (merged->set[KEY_REDIRECT] != NULL)
		check_required(merge, merged, KEY_REDIRECT,
		    values->service.redirect_text);
	content_load(merge, merged);
	compile_times(merge, merged);
	if (values->service.disabled) {
		identity_keep(merge, merged);
	} else {
		identity_resolve(merge, merged);
		privilege_check(merge, merged);
		acls_add_service(build->acls, merge, merged,
		    build->service_count);
		mux_names_add(&build->mux_names, merge, merged,
		    build->service_count);
		targets_add(&build->targets, build->listeners.hosts, merge,
		    merged, build->service_count);
		listeners_add(&build->listeners, merge, merged,
		    build->service_count);
	}
	values->identity.limits = store_limit_list(&values->limits, block);
	values->service.name = block_add_string(block, merged->name);
	values->service.file = block_add_string(block,
	    complaints_file(merge->complaints, section->place.file));
	values->service.line = section->place.line;
	values->service.identity =
	    block_add(block, &values->identity, sizeof(values->identity));
	values->service.socket =
	    block_add(block, &values->socket, sizeof(values->socket));
	add_service(build, &values->service);
}

static void
build_services(struct build *build)
{
	struct merged *merged = heap_new(1, sizeof(*merged));

	merge_defaults(&build->merge, &build->draft->defaults);
	for (size_t i = 0; i < build->draft->service_count; i++)
		build_service(build, &build->draft->services[i], merged);
	free(merged);
}

/* By name, then by place; equal strings have equal offsets. */
static int
compare_services(const void *left, const void *right)
{
	const struct conf_service *a =
	    *(const struct conf_service *const *)left;
	const struct conf_service *b =
	    *(const struct conf_service *const *)right;

	if (a->name.offset != b->name.offset)
		return a->name.offset < b->name.offset ? -1 : 1;
	return (a > b) - (a < b);
}

static void
check_duplicates(const struct build *build)
{
	const struct conf *conf = block_conf(build->merge.block);
	const struct conf_service **sorted =
	    heap_new(build->service_count, sizeof(*sorted));
	size_t count = 0;

	for (uint32_t i = 0; i < build->service_count; i++)
		if (!build->services[i].disabled)
			sorted[count++] = &build->services[i];
	qsort(sorted, count, sizeof(*sorted), compare_services);
	for (size_t i = 1; i < count; i++) {
		const struct conf_service *first = sorted[i - 1];
		size_t index = (size_t)(sorted[i] - build->services);

		if (first->name.offset != sorted[i]->name.offset)
			continue;
		complain(build->merge.complaints,
		    build->draft->services[index].place, "service",
		    "\"%s\" is the name of another service, at %s:%u",
		    conf_string(conf, first->name),
		    conf_string(conf, first->file), first->line);
	}
	free(sorted);
}

static void
build_frontend(struct build *build)
{
	const struct conf *conf = block_conf(build->merge.block);
	uint32_t *uids = heap_new(build->service_count, sizeof(*uids));
	size_t count = 0;

	for (uint32_t i = 0; i < build->service_count; i++)
		if (!build->services[i].disabled &&
		    build->services[i].exec.count > 0)
			uids[count++] =
			    conf_identity(conf, &build->services[i])->uid;
	identity_resolve_frontend(&build->merge, &build->head,
	    build->frontend_place, uids, count);
	free(uids);
}

/* Give each service its part of the listeners, which are in its order. */
static void
build_listens(struct build *build)
{
	const struct listeners *listeners = &build->listeners;
	struct conf_listen *listens =
	    heap_new(listeners->count, sizeof(*listens));

	for (size_t i = 0; i < listeners->count; i++) {
		struct conf_service *svc =
		    &build->services[listeners->items[i].listen.service];

		listens[i] = listeners->items[i].listen;
		if (svc->listens++ == 0)
			svc->first_listen = (uint32_t)i;
	}
	build->head.listens = block_add_list(build->merge.block, listens,
	    listeners->count, sizeof(*listens));
	build->head.services = block_add_list(build->merge.block,
	    build->services, build->service_count, sizeof(*build->services));
	free(listens);
}

struct block *
build_conf(const struct draft *draft, struct complaints *complaints)
{
	struct build *build = heap_new(1, sizeof(*build));

	build->merge = (struct merge){
		.block = block_new(),
		.complaints = complaints,
		.accounts = accounts_new(),
		.root = geteuid() == 0,
	};
	build->draft = draft;
	build->listeners.hosts = hosts_new();
	build->acls = acls_new(build->listeners.hosts);
	build_head(build);
	build_services(build);
	check_duplicates(build);
	mux_names_check(&build->mux_names, &build->merge, build->services,
	    build->service_count);
	build_frontend(build);
	listeners_resolve(&build->listeners, &build->merge,
	    build->head.frontend_uid, build->head.frontend_gid);
	targets_store(&build->targets, build->listeners.hosts, &build->merge,
	    build->services);
	acls_store(build->acls, &build->merge, build->services);
	build->head.exempt_acl = build->exempt_acl;
	overlap_check(&build->listeners, block_conf(build->merge.block),
	    build->services, complaints);
	build_listens(build);
	block_finish(build->merge.block, &build->head);
	if (draft->service_count == 0 && complaints_errors(complaints) == 0)
		complain_mildly(complaints, (struct place){ 0, 0 }, "service",
		    "none is configured");
	return build->merge.block;
}
