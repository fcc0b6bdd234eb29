#ifndef ONEPOINT_INTERNAL_H
#define ONEPOINT_INTERNAL_H

#include "CSupervise.h"

#include <limits.h>
#include <stdbool.h>

/// Bounds of everything that is read or made.
#define OP_ORDER_BYTES_MAX (8u << 20)
#define OP_STRINGS_MAX 65536u
#define OP_TASKS_MAX 512
#define OP_DETAIL_MAX 1024

struct op_strings {
    char **items; // NULL-terminated
    size_t count, capacity;
};

/// What is to be done, as the engine wrote it. All text points into the buffers that were read.
struct op_order {
    const char *run, *job, *root, *work, *temporary;
    const char *prepare_done, *prepare_lock;
    long number;
    int tasks;
    int64_t limit_ms, grace_ms, memory_per_task, milli_cores_per_task;
    struct op_strings arguments, environment, box, prepare, needs;
    /// Pairs of name and content, to be written into the run's folder before it starts.
    struct op_strings files;
    struct op_strings task_environment[OP_TASKS_MAX];
};

/// Reads the order and the file of cards, from descriptors of their own. Returns NULL or what is wrong.
const char *op_order_read(struct op_order *order, int order_fd, int cards_fd);
bool op_append(struct op_strings *list, char *text);

// files.c
ssize_t op_read_at(int folder, const char *name, void *buffer, size_t capacity);
ssize_t op_read_fd(int fd, void *buffer, size_t capacity);
int op_write_all(int fd, const void *bytes, size_t count);
int op_write_at(int folder, const char *name, const char *text);
int64_t op_now_ms(void);
int64_t op_monotonic_ms(void);
void op_touch_event(const struct op_order *order);

// processes.c
void op_kill_descendants(pid_t root);
int op_kill_marked(const char *run);

// cgroup.c
struct op_cgroups {
    int count;
    char paths[4][PATH_MAX];
    /// Index of the cgroup of version 2, whose descriptor serves to be born into; -1 when there is none.
    int unified;
    int unified_fd;
    /// Where the memory controller is; -1 when nobody limits memory.
    int memory;
    bool memory_is_v2;
    bool kills;
};
void op_cgroups_make(struct op_cgroups *groups, const char *name);
void op_cgroups_limit(struct op_cgroups *groups, int64_t memory, int64_t milli_cores, int64_t pids);
/// Puts the calling process into those groups it was not born into.
void op_cgroups_enter(const struct op_cgroups *groups);
long op_cgroups_oom_kills(const struct op_cgroups *groups);
bool op_cgroup_kill(const char *path);
bool op_cgroup_is_empty(const char *path);
/// Makes the unified group anew. Needed after a kill: Linux 6.18 was seen to kill, later, what is born by
/// CLONE_INTO_CGROUP into a group that had been killed once, while its parent's group had not.
void op_cgroups_renew(struct op_cgroups *groups);
void op_cgroups_remove(const struct op_cgroups *groups);
/// Forks, the child being born into the unified cgroup where there is one.
pid_t op_fork_into(const struct op_cgroups *groups);

// gang.c: the process that holds the tasks, and what it says to the supervisor.
enum op_word { OP_RUNNING = 'R', OP_NOT_STARTED = 'N', OP_EXITED = 'X', OP_SIGNALLED = 'S', OP_ENDED = 'E' };
struct op_message {
    int32_t word, rank, value;
    char text[256];
};
int op_gang(const struct op_order *order, int control, const int *logs, int port, bool boxed, bool limits_memory);
int op_gang_entry(const char *arguments);

// prepare.c: 0, or -1 with the reason in `detail`; 1 when a stop was asked for meanwhile.
int op_prepare(
    const struct op_order *order, struct op_cgroups *groups, int log, int signal_fd, int run_folder, char *detail);

// supervise.c
void op_say(int log, const char *text);
bool op_cancel_asked(int run_folder, int64_t *grace_ms);

#endif
