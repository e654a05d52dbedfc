/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Turn lists of access rules into tables.
 */

#include "conf/acls.h"

#include <stdlib.h>
#include <string.h>

#include "base/acl.h"
#include "conf/heap.h"
#include "conf/rule.h"
#include "conf/source.h"

enum {
	FILE_MAX = 256 << 20,	/* bytes of a file of rules */
	FILE_ERRORS_MAX = 20,	/* that are shown of one file */
	LISTS = 3,		/* of a service */
};

/* A host name in a list. */
struct name {
	struct place place;
	struct conf_str text;
	size_t host;		/* number of the question */
};

/* A list of rules that becomes a table. */
struct acl_list {
	struct conf_list list;	/* as configured: equal ones are the same */
	const char *key;
	struct acl_source source;
	struct name *names;
	size_t name_count;
	struct conf_bytes table; /* when it is made */
};

/* Where tables are wanted. */
struct wanted {
	size_t list;
	uint32_t service;
	enum key_id id;
	struct conf_bytes *top;	/* instead of a service's */
};

struct acls {
	struct hosts *hosts;
	struct acl_list *lists;
	size_t list_count;
	struct wanted *wanted;
	size_t wanted_count;
};

/* Room for one more in an array that doubles. */
static void *
grown(void *items, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return items;
	void *more = realloc(items, (count == 0 ? 1 : count * 2) * size);
	if (more == NULL)
		_Exit(HEAP_EXHAUSTED);
	return more;
}

static void
add_id(uint32_t **ids, size_t *count, uint32_t id)
{
	*ids = grown(*ids, *count, sizeof(**ids));
	(*ids)[(*count)++] = id;
}

static void
add_net(struct acl_source *source, const struct addr *addr, unsigned bits)
{
	bool is4 = addr->family == ADDR_IP4;
	struct acl_net **nets = is4 ? &source->nets4 : &source->nets6;
	size_t *count = is4 ? &source->count4 : &source->count6;
	struct acl_net *net;

	*nets = grown(*nets, *count, sizeof(**nets));
	net = &(*nets)[(*count)++];
	memset(net, 0, sizeof(*net));
	memcpy(net->bytes, addr->bytes, is4 ? 4 : sizeof(net->bytes));
	net->bits = bits;
}

/* The number of a user or group; false after a complaint. */
static bool
account_id(const struct merge *merge, struct place place, const char *key,
    const struct rule *rule, uint32_t *id)
{
	char *name = heap_strndup(rule->name, rule->name_len);
	const struct account *account = NULL;
	bool found;

	if (rule->kind == RULE_GID) {
		found = account_find_group(merge->accounts, name, id);
	} else {
		account = account_find(merge->accounts, name);
		found = account != NULL;
		*id = found ? account->uid : 0;
	}
	if (!found)
		complain(merge->complaints, place, key,
		    "\"%.80s\": there is no such %s", name,
		    rule->kind == RULE_GID ? "group" : "user");
	free(name);
	return found;
}

/* Add a rule that stands for itself. */
static void
add_rule(struct acl_list *to, const struct merge *merge, struct place place,
    const struct rule *rule)
{
	uint32_t id = rule->id;

	if (rule->kind == RULE_NET) {
		add_net(&to->source, &rule->addr, rule->bits);
		return;
	}
	if (!rule->numeric && !account_id(merge, place, to->key, rule, &id))
		return;
	if (rule->kind == RULE_UID)
		add_id(&to->source.uids, &to->source.uid_count, id);
	else
		add_id(&to->source.gids, &to->source.gid_count, id);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Leave out a comment, and blanks at both ends. */
static void
trim(const char **text, size_t *len)
{
	const char *comment = memchr(*text, '#', *len);

	if (comment != NULL)
		*len = (size_t)(comment - *text);
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
	while (*len > 0 && is_blank(**text)) {
		(*text)++;
		(*len)--;
	}
}

/* Senders of PROXY headers are no users of this machine. */
static bool
is_of_senders(const char *key)
{
	return strcmp(key, keys[KEY_PROXY_FROM].name) == 0;
}

/* What is wrong with a line of a file, or NULL. */
static const char *
parse_file_line(const struct acl_list *to, struct rule *rule, const char *text,
    size_t len)
{
	const char *sentence = rule_parse_line(rule, text, len);

	if (sentence == NULL && rule_is_of_unix(rule) &&
	    is_of_senders(to->key))
		return "is no sender of PROXY headers";
	return sentence;
}

static void
add_lines(struct acl_list *to, const struct merge *merge, const char *text,
    size_t len, struct place at)
{
	const char *end = text + len;
	unsigned errors = 0;

	for (at.line = 1; text < end; at.line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *next = newline != NULL ? newline + 1 : end;
		size_t line_len = (size_t)((newline != NULL ? newline : end) -
		    text);
		struct rule rule;
		const char *sentence;

		trim(&text, &line_len);
		sentence = line_len == 0 ? NULL :
		    parse_file_line(to, &rule, text, line_len);
		if (sentence != NULL && errors++ < FILE_ERRORS_MAX)
			complain(merge->complaints, at, to->key,
			    "\"%.*s\": %s", line_len < 80 ? (int)line_len : 80,
			    text, sentence);
		if (sentence == NULL && line_len > 0)
			add_rule(to, merge, at, &rule);
		text = next;
	}
	if (errors > FILE_ERRORS_MAX)
		complain(merge->complaints, (struct place){ at.file, 0 },
		    to->key, "%u more lines are wrong",
		    errors - FILE_ERRORS_MAX);
}

static void
add_file(struct acl_list *to, const struct merge *merge, struct place place,
    const struct rule *rule)
{
	const struct source_limit limit = {
		FILE_MAX, "is longer than 256 MiB"
	};
	char *path = heap_strndup(rule->name, rule->name_len);
	struct source source;
	char *sentence = source_init(&source, path, limit);

	if (sentence != NULL) {
		complain(merge->complaints, place, to->key, "\"%.200s\": %s",
		    path, sentence);
		free(sentence);
	} else {
		add_lines(to, merge, source.text, source.len, (struct place){
			    complaints_add_file(merge->complaints, path), 0 });
		source_fini(&source);
	}
	free(path);
}

/* Add one element; what is wrong with it was said before. */
static void
add_element(struct acls *acls, struct acl_list *to, const struct merge *merge,
    struct place place, struct conf_str text)
{
	const char *string = conf_string(block_conf(merge->block), text);
	struct rule rule;

	if (rule_parse(&rule, string, strlen(string)) != NULL)
		return;
	switch (rule.kind) {
	case RULE_FILE:
		add_file(to, merge, place, &rule);
		break;
	case RULE_NAME:
		to->names = heap_room(to->names, to->name_count,
		    sizeof(*to->names));
		to->names[to->name_count++] = (struct name){ place, text,
			hosts_add(acls->hosts, rule.name, rule.name_len,
			    URL_FAMILY_ANY) };
		break;
	default:
		add_rule(to, merge, place, &rule);
	}
}

/* Where an element stands: those of `defaults` come first. */
static struct place
place_of(const struct draft_setting *setting, struct conf_list list,
    uint32_t index, struct place otherwise)
{
	if (setting == NULL || index < list.count - setting->count)
		return otherwise;
	index -= list.count - setting->count;
	return (struct place){ setting->place.file,
		setting->values[index].line };
}

/* The number of the list, which is gathered unless an equal one was. */
static size_t
find_list(struct acls *acls, const struct merge *merge, struct conf_list list,
    const struct draft_setting *setting, const char *key)
{
	struct acl_list *to;

	for (size_t i = acls->list_count; i-- > 0;)
		if (acls->lists[i].list.offset == list.offset &&
		    acls->lists[i].list.count == list.count &&
		    is_of_senders(acls->lists[i].key) == is_of_senders(key))
			return i;
	acls->lists = heap_room(acls->lists, acls->list_count,
	    sizeof(*acls->lists));
	to = &acls->lists[acls->list_count];
	memset(to, 0, sizeof(*to));
	to->list = list;
	to->key = key;
	for (uint32_t i = 0; i < list.count; i++)
		add_element(acls, to, merge, place_of(setting, list, i,
		    setting != NULL ? setting->place : (struct place){ 0, 0 }),
		    conf_strings(block_conf(merge->block), list)[i]);
	return acls->list_count++;
}

static void
add_wanted(struct acls *acls, const struct wanted *wanted)
{
	acls->wanted = grown(acls->wanted, acls->wanted_count,
	    sizeof(*acls->wanted));
	acls->wanted[acls->wanted_count++] = *wanted;
}

struct acls *
acls_new(struct hosts *hosts)
{
	struct acls *acls = heap_new(1, sizeof(*acls));

	acls->hosts = hosts;
	return acls;
}

void
acls_add_service(struct acls *acls, const struct merge *merge,
    const struct merged *merged, uint32_t service)
{
	const struct conf_service *svc = &merged->values.service;
	const struct {
		enum key_id id;
		struct conf_list list;
	} lists[LISTS] = {
		{ KEY_ONLY_FROM, svc->only_from },
		{ KEY_NO_ACCESS, svc->no_access },
		{ KEY_PROXY_FROM, svc->proxy_from },
	};

	for (size_t i = 0; i < LISTS; i++) {
		if (lists[i].list.count == 0)
			continue;
		add_wanted(acls, &(struct wanted){ .service = service,
			    .id = lists[i].id,
			    .list = find_list(acls, merge, lists[i].list,
				merged->set[lists[i].id],
				keys[lists[i].id].name) });
	}
}

void
acls_add_top(struct acls *acls, const struct merge *merge,
    const struct draft_setting *setting, struct conf_bytes *table)
{
	struct conf_str *texts = heap_new(setting->count + 1, sizeof(*texts));
	struct conf_list list;

	for (uint32_t i = 0; i < setting->count; i++)
		texts[i] = block_add_string(merge->block,
		    setting->values[i].text);
	list = block_add_list(merge->block, texts, setting->count,
	    sizeof(*texts));
	free(texts);
	if (list.count > 0)
		add_wanted(acls, &(struct wanted){ .top = table,
			    .list = find_list(acls, merge, list, setting,
				setting->key->name) });
}

static void
make_table(const struct acls *acls, struct acl_list *of,
    const struct merge *merge)
{
	void *bytes;
	size_t size;

	for (size_t i = 0; i < of->name_count; i++) {
		const struct name *name = &of->names[i];
		const struct host *host = hosts_get(acls->hosts, name->host);

		if (host->failure != NULL)
			complain(merge->complaints, name->place, of->key,
			    "\"%.200s\": %s",
			    conf_string(block_conf(merge->block), name->text),
			    host->failure);
		for (size_t j = 0; j < host->count; j++)
			add_net(&of->source, &host->addrs[j],
			    host->addrs[j].family == ADDR_IP4 ? 32 : 128);
	}
	bytes = acl_make(&of->source, &size);
	if (bytes == NULL)
		_Exit(HEAP_EXHAUSTED);
	of->table = block_add_table(merge->block, bytes, size);
	free(bytes);
	free(of->source.nets4);
	free(of->source.nets6);
	free(of->source.uids);
	free(of->source.gids);
}

static struct conf_bytes *
table_of(struct conf_service *svc, enum key_id id)
{
	switch (id) {
	case KEY_ONLY_FROM:
		return &svc->only_from_acl;
	case KEY_NO_ACCESS:
		return &svc->no_access_acl;
	default:
		return &svc->proxy_from_acl;
	}
}

void
acls_store(struct acls *acls, const struct merge *merge,
    struct conf_service *services)
{
	for (size_t i = 0; i < acls->list_count; i++)
		make_table(acls, &acls->lists[i], merge);
	for (size_t i = 0; i < acls->wanted_count; i++) {
		const struct wanted *wanted = &acls->wanted[i];
		struct conf_bytes *to = wanted->top != NULL ? wanted->top :
		    table_of(&services[wanted->service], wanted->id);

		*to = acls->lists[wanted->list].table;
	}
}
