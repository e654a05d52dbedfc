/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * Arbitrary files: the pre-scan ends, and libconfuse accepts all of what it
 * lets pass.
 */

#include <stdlib.h>
#include <string.h>

#include "conf/parse.h"
#include "conf/prescan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
free_section(struct draft_section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct draft_setting *setting = &section->settings[i];

		for (uint32_t k = 0; k < setting->count; k++)
			free((void *)(uintptr_t)setting->values[k].text);
		free((void *)(uintptr_t)setting->values);
	}
	free(section->settings);
	free((void *)(uintptr_t)section->name);
}

static void
check_statement(const struct prescan *prescan,
    const struct prescan_statement *statement)
{
	struct draft draft = { 0 };
	struct complaints *complaints = complaints_new();

	complaints_add_file(complaints, "fuzz");
	free((void *)(uintptr_t)parse_statement(prescan, statement, 0, &draft,
	    complaints));
	if (complaints_errors(complaints) > 0)
		abort();
	free_section(&draft.top);
	free_section(&draft.defaults);
	if (draft.service_count > 0)
		free_section(&draft.services[0]);
	free(draft.services);
	complaints_free(complaints);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct complaints *complaints = complaints_new();
	struct prescan prescan;

	complaints_add_file(complaints, "fuzz");
	prescan_init(&prescan, (const char *)data, size, complaints, 0);
	for (size_t i = 0; i < prescan.statement_count; i++)
		check_statement(&prescan, &prescan.statements[i]);
	prescan_fini(&prescan);
	free(complaints_text(complaints));
	complaints_free(complaints);
	return 0;
}
