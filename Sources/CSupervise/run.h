#ifndef ONEPOINT_RUN_H
#define ONEPOINT_RUN_H

#include "internal.h"

enum { EXIT_RECORD_BYTES = 4096, FAILURE_GRACE_MS = 5000 };
enum cause { NONE, TASK_FAILED, CANCELLED, TIME_LIMIT, SHUT_DOWN };

struct run {
    const char *path;
    int folder, signals, acknowledge;
    struct op_order order;
    struct op_cgroups groups;
    int logs[OP_TASKS_MAX];
    char record[64]; // the reserved file that becomes the exit record
    int record_fd;
    int64_t started_ms;

    pid_t keeper; // the process that holds the tasks, or the sandbox around it
    int control;
    bool keeper_gone, running, all_ended;
    int64_t limit_at, kill_at;

    enum cause cause;
    const char *kind;
    int code;
    char detail[OP_DETAIL_MAX];
};

// claim.c
bool op_reserve_record(struct run *run);
/// Writes how it ended, waiting out a disk that refuses for up to an hour, and leaves.
_Noreturn void op_finish(struct run *run, const char *kind, int code);
/// Links the claim into place. Returns its descriptor, or the negative of an errno.
int op_claim(struct run *run);
/// Returns 1 when this run may go on, 0 when a newer one of its job was here, or the negative of an errno.
int op_pass_fence(const struct op_order *order);

// keeper.c
bool op_make_folders(struct run *run);
/// Forks the process that holds the tasks, in the sandbox when there is one; it waits for the word to go.
bool op_start_keeper(struct run *run);

#endif
