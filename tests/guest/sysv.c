/* SPDX-License-Identifier: Apache-2.0 */
/* System V shared memory, semaphores and message queues. */
#include "check.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static void write_seven(void *arg)
{
	char *p = shmat(*(int *)arg, NULL, 0);

	CHECK(p != (void *)-1);
	p[0] = 7;
	OK(shmdt(p));
}

static void memory(void)
{
	struct shmid_ds ds;
	int id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600), again;
	char *p;

	if (id < 0 && errno == ENOSYS)
		return;
	OK(id);
	p = shmat(id, NULL, 0);
	CHECK(p != (void *)-1);
	apart(write_seven, &id);
	EQ(p[0], 7);
	OK(shmctl(id, IPC_STAT, &ds));
	EQ(ds.shm_segsz, 8192);
	EQ(ds.shm_nattch, 1);
	OK(shmctl(id, IPC_RMID, NULL));
	p[1] = 8; /* lives while attached */
	OK(shmdt(p));
	FAILS(shmctl(id, IPC_STAT, &ds), EINVAL);
	FAILS(shmdt(NOWHERE), EINVAL);
	FAILS(shmat(-1, NULL, 0), EINVAL);
	id = shmget(0x6273, 4096, IPC_CREAT | IPC_EXCL | 0600);
	OK(id);
	FAILS(shmget(0x6273, 4096, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
	again = shmget(0x6273, 0, 0);
	EQ(again, id);
	FAILS(shmget(0x6273, 8192, 0), EINVAL);
	OK(shmctl(id, IPC_RMID, NULL));
	FAILS(shmget(0x6273, 0, 0), ENOENT);
}

static void up(void *arg)
{
	struct sembuf op = {0, 1, 0};

	OK(semop(*(int *)arg, &op, 1));
}

static void take_and_die(void *arg)
{
	struct sembuf op = {0, -1, SEM_UNDO};

	OK(semop(*(int *)arg, &op, 1));
}

static void semaphores(void)
{
	struct sembuf down = {0, -1, 0}, try = {0, -1, IPC_NOWAIT};
	int id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
	pid_t pid;

	if (id < 0 && errno == ENOSYS)
		return;
	OK(id);
	OK(semctl(id, 0, SETVAL, (union semun){.val = 1}));
	EQ(semctl(id, 0, GETVAL), 1);
	OK(semop(id, &down, 1));
	FAILS(semop(id, &try, 1), EAGAIN);
	pid = child(up, &id);
	OK(semop(id, &down, 1));
	passes(pid);
	OK(semctl(id, 0, SETVAL, (union semun){.val = 1}));
	apart(take_and_die, &id);
	EQ(semctl(id, 0, GETVAL), 1); /* given back at death */
	FAILS(semctl(id, 5, GETVAL), EINVAL);
	OK(semctl(id, 0, IPC_RMID));
	FAILS(semop(id, &down, 1), EINVAL);
}

struct message {
	long type;
	char text[16];
};

static void messages(void)
{
	struct message m = {3, "three"}, got;
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	if (id < 0 && errno == ENOSYS)
		return;
	OK(id);
	OK(msgsnd(id, &m, 6, 0));
	m.type = 1;
	strcpy(m.text, "one");
	OK(msgsnd(id, &m, 4, 0));
	EQ(msgrcv(id, &got, 16, 1, 0), 4);
	CHECK(!strcmp(got.text, "one"));
	FAILS(msgrcv(id, &got, 2, 0, 0), E2BIG);
	EQ(msgrcv(id, &got, 16, 0, 0), 6);
	FAILS(msgrcv(id, &got, 16, 0, IPC_NOWAIT), ENOMSG);
	OK(msgctl(id, IPC_RMID, NULL));
	FAILS(msgrcv(id, &got, 16, 0, 0), EINVAL);
}

int main(void)
{
	if (shmget(IPC_PRIVATE, 0, 0) < 0 && errno == ENOSYS &&
	    semget(IPC_PRIVATE, 0, 0) < 0 && errno == ENOSYS &&
	    msgget(0x6274, 0) < 0 && errno == ENOSYS)
		SKIP("no System V IPC in this kernel");
	memory();
	semaphores();
	messages();
	return 0;
}
