/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Let libconfuse read the statements that the pre-scan found sound.
 *
 * Every option is a CFGT_PTR whose values are made by capture_value(): they
 * keep the line, no number is read by strtol(3), and nothing needs a context
 * that libconfuse's callbacks do not have.  The option table is made for each
 * statement, of the keys that the pre-scan saw in it, in their order, and so
 * it tells a key that is set to {} from one that is not set.
 */

#include "conf/parse.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/heap.h"

/* A value as libconfuse keeps it. */
struct captured {
	uint32_t line;		/* within the statement, from 1 */
	char *text;
};

/* The statement under work. */
struct parser {
	const struct prescan *prescan;
	const struct prescan_statement *statement;
	uint32_t file;
};

static int
capture_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	(void)opt;
	struct captured *captured = heap_new(1, sizeof(*captured));
	captured->line = (uint32_t)cfg->line;
	captured->text = heap_strndup(value, strlen(value));
	*(void **)result = captured;
	return 0;
}

/* The text of a value passes to the draft. */
static void
free_captured(void *value)
{
	free(value);
}

/* The argument of include() becomes a value of the option behind it. */
static int
capture_argument(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	(void)opt;
	if (argc != 1)
		return -1;
	return cfg_setopt(cfg, cfg_getnopt(cfg, 1), argv[0]) != NULL ? 0 : -1;
}

/* The pre-scan has complained; a parse that fails all the same is a bug. */
static void
ignore_error(cfg_t *cfg, const char *format, va_list args)
{
	(void)cfg;
	(void)format;
	(void)args;
}

static cfg_opt_t
value_option(const struct key *key)
{
	cfg_opt_t scalar = CFG_PTR_CB(key->name, NULL, CFGF_NONE,
	    capture_value, free_captured);
	cfg_opt_t list = CFG_PTR_LIST_CB(key->name, NULL, CFGF_NONE,
	    capture_value, free_captured);

	return key->shape == KEY_LIST ? list : scalar;
}

static cfg_opt_t
section_option(const struct key *key, cfg_opt_t *options)
{
	cfg_flag_t titled = key->shape == KEY_TITLED ? CFGF_TITLE : CFGF_NONE;
	cfg_opt_t section = CFG_SEC(key->name, options, CFGF_MULTI | titled);

	return section;
}

static const struct prescan_key *
statement_keys(const struct parser *parser)
{
	return parser->prescan->keys + parser->statement->first_key;
}

/*
 * Options for the keys of the statement that stand in `limits`, or for those
 * that do not, with one more for `limits` itself when it has options.
 */
static cfg_opt_t *
make_options(const struct parser *parser, bool in_limits, cfg_opt_t *limits)
{
	size_t count = parser->statement->key_count;
	cfg_opt_t *options = heap_new(count + 2, sizeof(*options));
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		const struct key *key = statement_keys(parser)[i].key;

		if ((key->scopes == KEY_IN_LIMITS) == in_limits)
			options[n++] = value_option(key);
	}
	if (limits != NULL)
		options[n++] = section_option(&keys[KEY_LIMITS], limits);
	return options;
}

/* Parse the statement's text; NULL when libconfuse refuses it. */
static cfg_t *
parse_text(const struct parser *parser, cfg_opt_t *options)
{
	const struct prescan_statement *statement = parser->statement;
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	char *text = parser->prescan->text + statement->start;
	FILE *stream = fmemopen(text, statement->len, "r");

	if (cfg == NULL || stream == NULL)
		_Exit(HEAP_EXHAUSTED);
	cfg_set_error_function(cfg, ignore_error);
	int result = cfg_parse_fp(cfg, stream);
	fclose(stream);
	if (result == CFG_SUCCESS)
		return cfg;
	cfg_free(cfg);
	return NULL;
}

static void
copy_values(const struct parser *parser, cfg_opt_t *opt,
    struct draft_setting *setting)
{
	unsigned count = cfg_opt_size(opt);
	struct draft_value *values = heap_new(count, sizeof(*values));

	for (unsigned i = 0; i < count; i++) {
		const struct captured *captured = cfg_opt_getnptr(opt, i);

		values[i].text = captured->text;
		values[i].line = parser->statement->line + captured->line - 1;
	}
	setting->values = values;
	setting->count = count;
}

static struct draft_setting
make_setting(const struct parser *parser, const struct prescan_key *seen,
    cfg_opt_t *opt)
{
	struct draft_setting setting = {
		.key = seen->key,
		.place = { parser->file, seen->line },
		.append = seen->append,
	};

	copy_values(parser, opt, &setting);
	return setting;
}

/* The options of a section are in the order of the keys seen in it. */
static void
copy_section(const struct parser *parser, cfg_t *cfg,
    struct draft_section *section)
{
	cfg_t *limits = NULL;
	unsigned in_section = 0;
	unsigned in_limits = 0;

	for (unsigned i = 0; cfg_getnopt(cfg, i) != NULL; i++)
		if (cfg_getnopt(cfg, i)->type == CFGT_SEC)
			limits = cfg_opt_getnsec(cfg_getnopt(cfg, i), 0);
	for (size_t i = 0; i < parser->statement->key_count; i++) {
		const struct prescan_key *seen = &statement_keys(parser)[i];
		bool inner = seen->key->scopes == KEY_IN_LIMITS;
		cfg_opt_t *opt = inner ? cfg_getnopt(limits, in_limits++) :
		    cfg_getnopt(cfg, in_section++);
		struct draft_setting setting = make_setting(parser, seen, opt);

		draft_add_setting(section, &setting);
	}
}

/* A service or `defaults`; false when libconfuse refuses it. */
static bool
parse_section(const struct parser *parser, struct draft_section *section)
{
	const struct key *key = parser->statement->key;
	cfg_opt_t *limits = make_options(parser, true, NULL);
	cfg_opt_t *options = make_options(parser, false, limits);
	cfg_opt_t root[] = { section_option(key, options), CFG_END() };
	cfg_t *cfg = parse_text(parser, root);

	free(options);
	free(limits);
	if (cfg == NULL)
		return false;
	cfg_t *inside = cfg_opt_getnsec(cfg_getnopt(cfg, 0), 0);
	const char *title = cfg_title(inside);
	*section = (struct draft_section){
		.place = { parser->file, parser->statement->line },
		.damaged = parser->statement->damaged,
	};
	if (title != NULL)
		section->name = heap_strndup(title, strlen(title));
	copy_section(parser, inside, section);
	cfg_free(cfg);
	return true;
}

static bool
parse_assignment(const struct parser *parser, struct draft_setting *setting)
{
	const struct prescan_key seen = {
		.key = parser->statement->key,
		.line = parser->statement->line,
		.append = parser->statement->append,
	};
	cfg_opt_t root[] = { value_option(seen.key), CFG_END() };
	cfg_t *cfg = parse_text(parser, root);

	if (cfg == NULL)
		return false;
	*setting = make_setting(parser, &seen, cfg_getnopt(cfg, 0));
	cfg_free(cfg);
	return true;
}

static const char *
parse_include(const struct parser *parser)
{
	cfg_opt_t root[] = {
		CFG_FUNC("include", capture_argument),
		/* No file can name this one. */
		CFG_PTR_CB(" ", NULL, CFGF_NONE, capture_value, free_captured),
		CFG_END(),
	};
	cfg_t *cfg = parse_text(parser, root);

	if (cfg == NULL)
		return NULL;
	const struct captured *captured =
	    cfg_opt_getnptr(cfg_getnopt(cfg, 1), 0);
	const char *pattern = captured->text;
	cfg_free(cfg);
	return pattern;
}

const char *
parse_statement(const struct prescan *prescan,
    const struct prescan_statement *statement, uint32_t file,
    struct draft *draft, struct complaints *complaints)
{
	const struct parser parser = { prescan, statement, file };
	const struct key *key = statement->key;
	struct draft_section section;
	struct draft_setting setting;

	if (key == &keys[KEY_INCLUDE]) {
		const char *pattern = parse_include(&parser);

		if (pattern != NULL)
			return pattern;
	} else if (key->shape == KEY_SCALAR || key->shape == KEY_LIST) {
		if (parse_assignment(&parser, &setting)) {
			draft_add_top(draft, &setting, complaints);
			return NULL;
		}
	} else if (parse_section(&parser, &section)) {
		if (key == &keys[KEY_SERVICE])
			draft_add_service(draft, &section);
		else
			draft_add_defaults(draft, &section, complaints);
		return NULL;
	}
	complain(complaints, (struct place){ file, statement->line },
	    key->name, "this statement cannot be read");
	return NULL;
}
