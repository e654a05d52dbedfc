/* SPDX-License-Identifier: ISC */
/* Copyright (c) the minetd authors */

/*
 * The table of handlers against a plain array, through growth and removal.
 */

#include "main/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 5000 };

static struct proc *
add(struct proc_table *table, pid_t pid, uint64_t id)
{
	struct proc *proc = proc_new(table);

	assert_non_null(proc);
	proc->handle.pid = pid;
	proc->conn.id = id;
	proc_add(table, proc);
	return proc;
}

static void
drop(struct proc_table *table, struct proc *proc)
{
	proc_remove(table, proc);
	proc_free(table, proc);
}

static void
an_empty_table_finds_nothing(void **state)
{
	struct proc_table *table = proc_table_new();

	(void)state;
	assert_null(proc_find(table, 1));
	assert_null(proc_find_id(table, 1));
	assert_null(proc_first(table));
	assert_int_equal(proc_count(table), 0);
	proc_table_free(table);
}

static void
each_is_found_by_both_names_through_growth(void **state)
{
	struct proc_table *table = proc_table_new();
	static struct proc *all[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		all[i] = add(table, 100 + i * 7, (uint64_t)i + 1);
	assert_int_equal(proc_count(table), MANY);
	for (int i = 0; i < MANY; i += 2)
		drop(table, all[i]);
	for (int i = 0; i < MANY; i++) {
		struct proc *wanted = i % 2 == 0 ? NULL : all[i];

		assert_ptr_equal(proc_find(table, 100 + i * 7), wanted);
		assert_ptr_equal(proc_find_id(table, (uint64_t)i + 1), wanted);
	}
	assert_int_equal(proc_count(table), MANY / 2);
	proc_table_free(table);
}

static void
the_walk_visits_each_once(void **state)
{
	struct proc_table *table = proc_table_new();
	int seen[10] = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		add(table, 50 + i, (uint64_t)i);
	for (struct proc *proc = proc_first(table); proc != NULL;
	    proc = proc_next(proc))
		seen[proc->handle.pid - 50]++;
	for (int i = 0; i < 10; i++)
		assert_int_equal(seen[i], 1);
	proc_table_free(table);
}

static void
a_reused_pid_is_the_new_handler(void **state)
{
	struct proc_table *table = proc_table_new();
	struct proc *old = add(table, 77, 1);

	(void)state;
	drop(table, old);
	struct proc *new = add(table, 77, 2);
	assert_ptr_equal(proc_find(table, 77), new);
	assert_null(proc_find_id(table, 1));
	proc_table_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_table_finds_nothing),
		cmocka_unit_test(each_is_found_by_both_names_through_growth),
		cmocka_unit_test(the_walk_visits_each_once),
		cmocka_unit_test(a_reused_pid_is_the_new_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
