/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/task/exec.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "kernel/ops.h"
#include "kernel/testbed.h"

/* A program that the kernel finds nothing wrong with. */
static const struct {
	Elf64_Ehdr head;
	Elf64_Phdr load;
} program = {
	{.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
         .e_type = ET_EXEC,
         .e_machine = EM_X86_64,
         .e_phoff = 64,
         .e_phentsize = 56,
         .e_phnum = 1},
	{.p_type = PT_LOAD},
};

static void put(struct testbed *bed, const char *path, const void *bytes,
                size_t size, uint32_t mode)
{
	long fd = testbed_call(bed, SYS_open, path, O_CREAT | O_WRONLY, 0777);

	assert_true(fd >= 0);
	if (size)
		assert_int_equal(testbed_call(bed, SYS_write, fd, bytes, size),
		                 size);
	assert_int_equal(testbed_call(bed, SYS_close, fd), 0);
	assert_int_equal(testbed_call(bed, SYS_chmod, path, mode), 0);
}

static void put_program(struct testbed *bed, const char *path, uint32_t mode)
{
	put(bed, path, &program, sizeof(program), mode);
}

static void put_script(struct testbed *bed, const char *path, const char *text)
{
	put(bed, path, text, strlen(text), 0755);
}

/* execveat(2) with two arguments and one variable. */
static long execat(struct testbed *bed, int dir, const char *path, int flags)
{
	char strings[512];
	size_t n = strlen(path) + 1;
	static const char rest[] = "zero\0one\0A=b";

	memcpy(strings, path, n);
	memcpy(strings + n, rest, sizeof(rest));
	return testbed_call(bed, OP_exec, dir, flags, strings, n + sizeof(rest),
	                    2, 1);
}

static long exec(struct testbed *bed, const char *path)
{
	return execat(bed, AT_FDCWD, path, 0);
}

/* The command line as "one two three". */
static const char *line(struct testbed *bed)
{
	static char text[512];
	const struct process *p = bed->process;

	memcpy(text, p->cmdline, p->cmdline_size);
	for (size_t i = 0; i < p->cmdline_size; i++)
		if (text[i] == 0)
			text[i] = ' ';
	text[p->cmdline_size - 1] = 0;
	return text;
}

static void a_program_takes_over(void **state)
{
	struct testbed *bed = *state;

	put_program(bed, "/prog", 0755);
	assert_int_equal(exec(bed, "/prog"), -EWAIT); /* no cell answers */
	assert_string_equal(line(bed), "zero one");
	assert_string_equal(bed->process->environ, "A=b");
	assert_string_equal(bed->task->comm, "prog");
	assert_non_null(bed->process->exe);
	assert_true(bed->process->execed);
}

static void what_cannot_run_is_refused(void **state)
{
	struct testbed *bed = *state;
	uint8_t cut[100];

	memcpy(cut, &program, sizeof(cut));
	put_program(bed, "/noexec", 0644);
	put(bed, "/empty", "", 0, 0755);
	put(bed, "/text", "hello\n", 6, 0755);
	put(bed, "/cut", cut, sizeof(cut), 0755);
	put_script(bed, "/lost", "#!/nowhere\n");
	put_script(bed, "/loop", "#!/loop\n");
	assert_int_equal(testbed_call(bed, SYS_mkdir, "/dir", 0755), 0);
	assert_int_equal(testbed_call(bed, SYS_symlink, "/noexec", "/link"), 0);
	assert_int_equal(exec(bed, "/missing"), -ENOENT);
	assert_int_equal(exec(bed, ""), -ENOENT);
	assert_int_equal(exec(bed, "/noexec"), -EACCES);
	assert_int_equal(exec(bed, "/noexec/x"), -ENOTDIR);
	assert_int_equal(exec(bed, "/dir"), -EACCES);
	assert_int_equal(exec(bed, "/empty"), -ENOEXEC);
	assert_int_equal(exec(bed, "/text"), -ENOEXEC);
	assert_int_equal(exec(bed, "/cut"), -ENOEXEC);
	assert_int_equal(exec(bed, "/lost"), -ENOENT);
	assert_int_equal(exec(bed, "/loop"), -ELOOP);
	assert_int_equal(execat(bed, AT_FDCWD, "/link", AT_SYMLINK_NOFOLLOW),
	                 -ELOOP);
	assert_int_equal(execat(bed, AT_FDCWD, "/link", 0x8000), -EINVAL);
	assert_null(bed->process->exe);
}

static void a_file_open_for_writing_is_busy(void **state)
{
	struct testbed *bed = *state;
	long fd;

	put_program(bed, "/prog", 0755);
	fd = testbed_call(bed, SYS_open, "/prog", O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(exec(bed, "/prog"), -ETXTBSY);
	assert_int_equal(testbed_call(bed, SYS_close, fd), 0);
	assert_int_equal(exec(bed, "/prog"), -EWAIT);
}

static void a_script_is_run_by_its_interpreter(void **state)
{
	struct testbed *bed = *state;

	put_program(bed, "/interp", 0755);
	put_script(bed, "/script", "#! /interp -a b \n");
	assert_int_equal(exec(bed, "/script"), -EWAIT);
	assert_string_equal(line(bed), "/interp -a b /script one");
	assert_string_equal(bed->task->comm, "script");
}

static void scripts_run_scripts(void **state)
{
	struct testbed *bed = *state;

	put_program(bed, "/interp", 0755);
	put_script(bed, "/outer", "#!/inner x\n");
	put_script(bed, "/inner", "#!/interp y\n");
	assert_int_equal(exec(bed, "/outer"), -EWAIT);
	assert_string_equal(line(bed), "/interp y /inner x /outer one");
}

static void a_descriptor_is_run_by_its_name_in_dev(void **state)
{
	struct testbed *bed = *state;
	long fd;

	put_program(bed, "/interp", 0755);
	put_script(bed, "/script", "#!/interp\n");
	fd = testbed_call(bed, SYS_open, "/script", O_RDONLY | O_CLOEXEC);
	assert_int_equal(execat(bed, (int)fd, "", AT_EMPTY_PATH), -ENOENT);
	assert_int_equal(testbed_call(bed, SYS_close, fd), 0);
	fd = testbed_call(bed, SYS_open, "/script", O_RDONLY);
	assert_int_equal(fd, 0);
	assert_int_equal(execat(bed, (int)fd, "", AT_EMPTY_PATH), -EWAIT);
	assert_string_equal(line(bed), "/interp /dev/fd/0 one");
}

static void handlers_and_marked_descriptors_go(void **state)
{
	struct testbed *bed = *state;
	const abi_sigaction handler = {.handler = 0x1000};
	const abi_sigaction ignore = {.handler = 1};
	long kept, marked;

	put_program(bed, "/prog", 0755);
	kept = testbed_call(bed, SYS_open, "/prog", O_RDONLY);
	marked = testbed_call(bed, SYS_open, "/prog", O_RDONLY | O_CLOEXEC);
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigaction, SIGUSR1, &handler, 0, 8),
		0);
	assert_int_equal(
		testbed_call(bed, SYS_rt_sigaction, SIGUSR2, &ignore, 0, 8), 0);
	assert_int_equal(exec(bed, "/prog"), -EWAIT);
	assert_int_equal(bed->task->sighand->action[SIGUSR1].handler, 0);
	assert_int_equal(bed->task->sighand->action[SIGUSR2].handler, 1);
	bed->task->in_call = false;
	assert_int_equal(testbed_call(bed, SYS_fcntl, kept, F_GETFD), 0);
	assert_int_equal(testbed_call(bed, SYS_fcntl, marked, F_GETFD), -EBADF);
}

static void other_threads_end_and_the_caller_leads(void **state)
{
	struct testbed *bed = *state;
	struct task *first = bed->task;
	struct task *thread = testbed_thread(bed, first);

	put_program(bed, "/prog", 0755);
	bed->task = thread;
	assert_int_equal(exec(bed, "/prog"), -EWAIT);
	assert_true(first->state == TASK_DEAD);
	assert_int_equal(thread->tid, bed->process->pid);
	assert_ptr_equal(bed->process->leader, thread);
	assert_ptr_equal(task_find(&bed->kernel, thread->tid), thread);
	assert_int_equal(bed->process->task_count, 1);
}

static void set_id_bits_change_credentials(void **state)
{
	struct testbed *bed = *state;

	put_program(bed, "/suid", 04755);
	testbed_become(bed, 1000);
	assert_int_equal(exec(bed, "/suid"), -EWAIT);
	assert_int_equal(bed->task->cred->uid, 1000);
	assert_int_equal(bed->task->cred->euid, 0);
	assert_int_equal(bed->task->cred->suid, 0);
	assert_true(cred_capable(bed->task->cred, CRED_CAP_KILL));
	assert_false(bed->process->dumpable);
}

static void no_new_privs_holds_them_back(void **state)
{
	struct testbed *bed = *state;

	put_program(bed, "/suid", 04755);
	testbed_become(bed, 1000);
	assert_int_equal(testbed_call(bed, SYS_prctl, 38, 1, 0, 0, 0), 0);
	assert_int_equal(exec(bed, "/suid"), -EWAIT);
	assert_int_equal(bed->task->cred->euid, 1000);
	assert_int_equal(bed->task->cred->cap_effective, 0);
}

static void the_parent_of_a_vfork_goes_on(void **state)
{
	struct testbed *bed = *state;
	struct task *parent = bed->task;
	struct task *child = testbed_clone(bed, parent, CLONE_VM | CLONE_VFORK);

	put_program(bed, "/prog", 0755);
	assert_int_equal(testbed_call(bed, OP_vfork_wait, child->tid), -EWAIT);
	bed->task = child;
	assert_int_equal(exec(bed, "/prog"), -EWAIT);
	assert_int_equal(testbed_finish(parent), 0);
}

static void damaged_strings_are_refused(void **state)
{
	struct testbed *bed = *state;
	static const struct {
		const char *why;
		const char *strings;
		size_t size;
		uint64_t argc, envc;
	} table[] = {
		{"nothing", "", 0, 0, 0},
		{"no end", "/prog", 5, 0, 0},
		{"fewer than promised", "/prog\0a", 8, 2, 0},
		{"more than promised", "/prog\0a\0b", 10, 1, 0},
		{"no environment", "/prog\0a", 8, 1, 1},
	};

	put_program(bed, "/prog", 0755);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		long got = testbed_call(bed, OP_exec, AT_FDCWD, 0,
		                        table[i].strings, table[i].size,
		                        table[i].argc, table[i].envc);

		if (got != -EFAULT)
			fail_msg("%s: %ld", table[i].why, got);
	}
	assert_int_equal(testbed_call(bed, OP_exec, AT_FDCWD, 0, "/prog",
	                              1ull << 40, 0, 0),
	                 -E2BIG);
}

static int outcome;

static void note(struct task *t, int err)
{
	(void)t;
	outcome = err;
}

static long start(struct testbed *bed, const char *names, size_t size,
                  uint32_t count)
{
	const struct exec_list n = {count, {(const uint8_t *)names, size}};
	const struct exec_list args = {1, {(const uint8_t *)"prog", 5}};
	const struct exec_list env = {0};

	outcome = 77;
	assert_int_equal(exec_start(bed->task, &n, &args, &env, note), 0);
	(void)testbed_finish(bed->task);
	bed->task->in_call = false;
	return outcome;
}

static void the_first_program_is_searched_for(void **state)
{
	struct testbed *bed = *state;

	put_program(bed, "/prog", 0755);
	put_program(bed, "/locked", 0644);
#define NAMES(s, n) start(bed, s, sizeof(s), n)
	assert_int_equal(NAMES("/bin/prog", 1), -ENOENT);
	assert_int_equal(NAMES("/locked\0/bin/prog", 2), -EACCES);
	assert_int_equal(NAMES("/bin/prog\0/locked\0/prog", 3), 0);
	assert_string_equal(line(bed), "prog");
	assert_string_equal(bed->task->comm, "prog");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTBED(a_program_takes_over),
		TESTBED(what_cannot_run_is_refused),
		TESTBED(a_file_open_for_writing_is_busy),
		TESTBED(a_script_is_run_by_its_interpreter),
		TESTBED(scripts_run_scripts),
		TESTBED(a_descriptor_is_run_by_its_name_in_dev),
		TESTBED(handlers_and_marked_descriptors_go),
		TESTBED(other_threads_end_and_the_caller_leads),
		TESTBED(set_id_bits_change_credentials),
		TESTBED(no_new_privs_holds_them_back),
		TESTBED(the_parent_of_a_vfork_goes_on),
		TESTBED(damaged_strings_are_refused),
		TESTBED(the_first_program_is_searched_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
