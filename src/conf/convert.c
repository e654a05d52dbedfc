/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Convert one value into what the field of its key holds.
 *
 * A function for each kind of value: it says what is wrong, or stores.
 */

#include "conf/convert.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/log.h"
#include "conf/rule.h"
#include "conf/suggest.h"
#include "conf/times.h"
#include "conf/url.h"
#include "conf/value.h"

typedef void entry_fn(const struct entry *entry);

static void
refuse(const struct entry *entry, const char *sentence)
{
	if (entry->complaints == NULL)
		BUG("a default is not valid");
	complain(entry->complaints, entry->place, entry->key->name,
	    "\"%.200s\": %s", entry->text, sentence);
}

static void
refuse_range(const struct entry *entry, const char *what, int64_t divisor)
{
	char sentence[160];

	snprintf(sentence, sizeof(sentence),
	    "must be %s from %" PRId64 " to %" PRId64, what,
	    entry->key->min / divisor, entry->key->max / divisor);
	refuse(entry, sentence);
}

/* Write a number to the field, whatever integer that is. */
static void
write_number(const struct entry *entry, int64_t number)
{
	uint8_t byte = (uint8_t)number;
	uint16_t half = (uint16_t)number;
	uint32_t word = (uint32_t)number;

	switch (entry->key->size) {
	case sizeof(byte):
		memcpy(entry->field, &byte, sizeof(byte));
		break;
	case sizeof(half):
		memcpy(entry->field, &half, sizeof(half));
		break;
	case sizeof(word):
		memcpy(entry->field, &word, sizeof(word));
		break;
	default:
		BUG("a number of an unknown size");
	}
}

static bool
in_range(const struct key *key, int64_t number)
{
	return number >= key->min && number <= key->max;
}

static void
store_bool(const struct entry *entry)
{
	bool value;

	if (value_bool(entry->text, entry->len, &value))
		memcpy(entry->field, &value, sizeof(value));
	else
		refuse(entry, "must be yes or no");
}

static void
store_number(const struct entry *entry)
{
	int64_t number;

	if (value_number(entry->text, entry->len, &number) &&
	    in_range(entry->key, number))
		write_number(entry, number);
	else
		refuse_range(entry, "a decimal number", 1);
}

static void
store_msec(const struct entry *entry)
{
	int64_t msec;

	if (!value_duration(entry->text, entry->len, &msec))
		refuse(entry, "must be a time like 250ms 10s 5m 2h 1d");
	else if (!in_range(entry->key, msec) && entry->key->min % 1000 != 0)
		refuse_range(entry, "a time in milliseconds", 1);
	else if (!in_range(entry->key, msec))
		refuse_range(entry, "a time in seconds", 1000);
	else
		write_number(entry, msec);
}

static void
store_seconds(const struct entry *entry)
{
	int64_t msec;

	if (!value_duration(entry->text, entry->len, &msec))
		refuse(entry, "must be a time like 10s 5m 2h 1d");
	else if (msec % 1000 != 0)
		refuse(entry, "must be whole seconds");
	else if (!in_range(entry->key, msec / 1000))
		refuse_range(entry, "a time in seconds", 1);
	else
		write_number(entry, msec / 1000);
}

static void
store_size(const struct entry *entry)
{
	int64_t bytes;

	if (!value_size(entry->text, entry->len, &bytes))
		refuse(entry, "must be a size like 65536 64k 1m 2g");
	else if (!in_range(entry->key, bytes))
		refuse_range(entry, "a size in bytes", 1);
	else
		write_number(entry, bytes);
}

static void
store_octal(const struct entry *entry)
{
	int64_t number;

	if (value_octal(entry->text, entry->len, &number) &&
	    in_range(entry->key, number))
		write_number(entry, number);
	else
		refuse(entry, "must be an octal number from 0 to 0777");
}

static void
refuse_word(const struct entry *entry)
{
	const char *const *words = entry->key->words;
	struct suggestion best = { 0 };
	char sentence[160] = "must be one of";

	for (size_t i = 0; words[i] != NULL; i++) {
		if (words[i][0] == '\0')
			continue;
		suggest(&best, entry->text, entry->len, words[i]);
		strlcat(sentence, " ", sizeof(sentence));
		strlcat(sentence, words[i], sizeof(sentence));
	}
	if (best.word != NULL)
		snprintf(sentence, sizeof(sentence),
		    "unknown word, did you mean \"%s\"?", best.word);
	refuse(entry, sentence);
}

static void
store_word(const struct entry *entry)
{
	const char *const *words = entry->key->words;

	for (size_t i = 0; words[i] != NULL; i++) {
		if (entry->len == 0 || strcmp(words[i], entry->text) != 0)
			continue;
		write_number(entry, (int64_t)i);
		return;
	}
	refuse_word(entry);
}

static void
write_string(const struct entry *entry, const char *text)
{
	struct conf_str str = block_add_string(entry->block, text);

	memcpy(entry->field, &str, sizeof(str));
}

/* Whether the length fits the key, after a complaint if it does not. */
static bool
fits(const struct entry *entry)
{
	char sentence[80];

	if (in_range(entry->key, (int64_t)entry->len))
		return true;
	if (entry->len == 0) {
		refuse(entry, "must not be empty");
		return false;
	}
	snprintf(sentence, sizeof(sentence),
	    "must not be longer than %" PRId64 " bytes", entry->key->max);
	refuse(entry, sentence);
	return false;
}

static void
store_text(const struct entry *entry)
{
	if (fits(entry))
		write_string(entry, entry->text);
}

static void
store_path(const struct entry *entry)
{
	if (!fits(entry))
		return;
	if (entry->len > 0 && entry->text[0] != '/')
		refuse(entry, "must be an absolute path");
	else
		write_string(entry, entry->text);
}

static void
store_log(const struct entry *entry)
{
	if (entry->len == 0 || log_destination_valid(entry->text))
		write_string(entry, entry->text);
	else
		refuse(entry,
		    "must be stderr, syslog, syslog:FACILITY or file:/PATH");
}

static void
set_stderr(const struct entry *entry, enum conf_stderr mode, const char *path)
{
	struct conf_identity *identity = entry->home;

	identity->stderr_mode = (uint8_t)mode;
	identity->stderr_path = block_add_string(entry->block, path);
}

/* Two fields: the mode, and the path of a file. */
static void
store_stderr(const struct entry *entry)
{
	static const char file_prefix[] = "file:/";

	if (strcmp(entry->text, "socket") == 0)
		set_stderr(entry, CONF_STDERR_SOCKET, "");
	else if (strcmp(entry->text, "null") == 0)
		set_stderr(entry, CONF_STDERR_NULL, "");
	else if (strcmp(entry->text, "log") == 0)
		set_stderr(entry, CONF_STDERR_LOG, "");
	else if (strncmp(entry->text, file_prefix, strlen(file_prefix)) != 0)
		refuse(entry, "must be socket, log, null or file:/PATH");
	else if (fits(entry))
		set_stderr(entry, CONF_STDERR_FILE,
		    entry->text + strlen("file:"));
}

static void
check_listen(const struct entry *entry)
{
	struct url url;
	const char *sentence = url_parse(&url, entry->text, entry->len);

	if (entry->len == 0)
		refuse(entry, "must not be empty");
	else if (sentence != NULL)
		refuse(entry, sentence);
}

static void
check_target(const struct entry *entry)
{
	struct url url;
	const char *sentence = url_parse_target(&url, entry->text, entry->len);

	if (entry->len == 0)
		refuse(entry, "must not be empty");
	else if (sentence != NULL)
		refuse(entry, sentence);
}

static void
check_rule(const struct entry *entry)
{
	struct rule rule;
	const char *sentence = rule_parse(&rule, entry->text, entry->len);

	if (sentence == NULL && entry->key == &keys[KEY_PROXY_FROM] &&
	    rule_is_of_unix(&rule))
		sentence = "is no sender of PROXY headers";
	if (sentence != NULL)
		refuse(entry, sentence);
}

static void
check_times(const struct entry *entry)
{
	struct conf_window window;
	const char *sentence = times_parse(&window, entry->text, entry->len);

	if (sentence != NULL)
		refuse(entry, sentence);
}

static void
store_rate(const struct entry *entry)
{
	struct conf_rate rate = { 0 };

	if (entry->len != 0 &&
	    !value_rate(entry->text, entry->len, &rate)) {
		refuse(entry, "must be a rate like 50/s 100/10s 20/m or, with "
		    "a burst, 50/s:200");
		return;
	}
	memcpy(entry->field, &rate, sizeof(rate));
}

static void
store_hundredths(const struct entry *entry)
{
	int64_t number;

	if (value_hundredths(entry->text, entry->len, &number) &&
	    in_range(entry->key, number))
		write_number(entry, number);
	else
		refuse(entry, "must be a number like 4 or 0.75");
}

static const char reserved_variable[] =
    "minetd sets this variable for each connection";

static void
check_env(const struct entry *entry)
{
	const char *equal = strchr(entry->text, '=');

	if (equal == NULL ||
	    !value_variable(entry->text, (size_t)(equal - entry->text)))
		refuse(entry, "must be NAME=value");
	else if (value_connection_variable(entry->text,
	    (size_t)(equal - entry->text)))
		refuse(entry, reserved_variable);
}

static void
check_variable(const struct entry *entry)
{
	if (!value_variable(entry->text, entry->len))
		refuse(entry, "must be the name of a variable");
	else if (value_connection_variable(entry->text, entry->len))
		refuse(entry, reserved_variable);
}

static void
check_text(const struct entry *entry)
{
	fits(entry);
}

static void
store_limit(const struct entry *entry)
{
	struct store_limits *set = entry->home;
	bool sizes = entry->key->kind == KIND_LIMIT_SIZE;
	struct conf_limit limit = { .resource = (uint32_t)entry->key->min };

	if (!value_limit(entry->text, entry->len, sizes, &limit.soft,
	    &limit.hard)) {
		refuse(entry, sizes ?
		    "must be SOFT[:HARD], sizes like 64m or unlimited" :
		    "must be SOFT[:HARD], numbers or unlimited");
		return;
	}
	if (limit.soft > limit.hard) {
		refuse(entry, "the soft limit is above the hard limit");
		return;
	}
	set->set[limit.resource] = true;
	set->limits[limit.resource] = limit;
}

static entry_fn *const scalar_kinds[] = {
	[KIND_BOOL] = store_bool,
	[KIND_NUMBER] = store_number,
	[KIND_MSEC] = store_msec,
	[KIND_SECONDS] = store_seconds,
	[KIND_SIZE] = store_size,
	[KIND_OCTAL] = store_octal,
	[KIND_WORD] = store_word,
	[KIND_TEXT] = store_text,
	[KIND_PATH] = store_path,
	[KIND_LOG] = store_log,
	[KIND_STDERR] = store_stderr,
	[KIND_RATE] = store_rate,
	[KIND_HUNDREDTHS] = store_hundredths,
	[KIND_LIMIT] = store_limit,
	[KIND_LIMIT_SIZE] = store_limit,
};

static entry_fn *const element_kinds[] = {
	[KIND_TEXT] = check_text,
	[KIND_LISTEN] = check_listen,
	[KIND_TARGET] = check_target,
	[KIND_ENV] = check_env,
	[KIND_VARIABLE] = check_variable,
	[KIND_RULE] = check_rule,
	[KIND_TIMES] = check_times,
};

void
convert_scalar(const struct entry *entry)
{
	scalar_kinds[entry->key->kind](entry);
}

void
convert_element(const struct entry *entry)
{
	element_kinds[entry->key->kind](entry);
}
