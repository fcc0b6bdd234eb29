// The process that holds the tasks: inside the sandbox when there is one, so that a gang shares its loopback. It
// starts all tasks at one word, tells how each ended, and takes everything with it when the supervisor is gone.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(int control, enum op_word word, int rank, int value, const char *text) {
    struct op_message message = {.word = word, .rank = rank, .value = value};
    snprintf(message.text, sizeof message.text, "%s", text ? text : "");
    while (send(control, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

/// Variables of `lists` in order; of two with one name the later counts.
static char **merge(struct op_strings *lists[], size_t count) {
    struct op_strings all = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < lists[i]->count; j++) {
            char *text = lists[i]->items[j];
            size_t name = strcspn(text, "=") + 1, at = 0;
            while (at < all.count && strncmp(all.items[at], text, name)) at++;
            if (at < all.count) all.items[at] = text;
            else if (!op_append(&all, text)) return NULL;
        }
    }
    return all.items;
}

static void add(struct op_strings *list, const char *name, const char *value) {
    char *text;
    if (asprintf(&text, "%s=%s", name, value) > 0) op_append(list, text);
}

static void add_number(struct op_strings *list, const char *name, long value) {
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    add(list, name, text);
}

/// Becomes the task, or writes to `report` what stood in the way.
static _Noreturn void become(
    const struct op_order *order, int rank, int log, int report, int port, bool limits_memory) {
    struct {
        int error;
        char step[200];
    } failure = {0};
    setsid();
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null < 0 ? log : null, 0);
    dup2(log, 1);
    dup2(log, 2);
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (limits_memory && order->memory_per_task > 0) {
        struct rlimit limit;
        getrlimit(RLIMIT_DATA, &limit);
        if ((rlim_t)order->memory_per_task < limit.rlim_max) {
            limit.rlim_cur = limit.rlim_max = (rlim_t)order->memory_per_task;
            setrlimit(RLIMIT_DATA, &limit);
        }
    }
    struct op_strings place = {0};
    add(&place, "HOME", order->work);
    add(&place, "PWD", order->work);
    add_number(&place, "RANK", rank);
    add_number(&place, "LOCAL_RANK", rank);
    add_number(&place, "WORLD_SIZE", order->tasks);
    add(&place, "MASTER_ADDR", "127.0.0.1");
    add_number(&place, "MASTER_PORT", port);
    struct op_strings common = order->environment, own = order->task_environment[rank];
    struct op_strings *lists[] = {&common, &own, &place};
    char **environment = merge(lists, 3);
    const char *program = order->arguments.items[0];
    if (chdir(order->work)) {
        failure.error = errno;
        snprintf(failure.step, sizeof failure.step, "its work folder cannot be entered: %s", strerror(errno));
    } else if (!environment) {
        failure.error = ENOMEM;
        snprintf(failure.step, sizeof failure.step, "there is no memory for its environment");
    } else {
        // The program is searched in the task's own PATH.
        environ = environment;
        execvp(program, order->arguments.items);
        failure.error = errno;
    }
    ssize_t ignored = write(report, &failure, sizeof failure);
    (void)ignored;
    _exit(127);
}

static void explain(const char *program, int error, const char *step, char *text, size_t capacity) {
    struct stat status;
    bool is_path = strchr(program, '/') != NULL;
    if (*step) snprintf(text, capacity, "%s", step);
    else if (error == ENOENT && is_path && !stat(program, &status))
        snprintf(text, capacity, "the interpreter that '%.100s' names in its first line does not exist", program);
    else if (error == ENOENT && is_path) snprintf(text, capacity, "the program '%.120s' does not exist", program);
    else if (error == ENOENT) snprintf(text, capacity, "the program '%.120s' was not found in PATH", program);
    else if (error == EACCES) snprintf(text, capacity, "the program '%.120s' is not executable", program);
    else if (error == ENOTDIR || error == EISDIR)
        snprintf(text, capacity, "'%.120s' is not the path of a program", program);
    else if (error == E2BIG) snprintf(text, capacity, "its arguments and environment are too long for this system");
    else if (error == ENOEXEC) snprintf(text, capacity, "'%.120s' is not a program for this machine", program);
    else snprintf(text, capacity, "the program '%.100s' cannot be started: %.80s", program, strerror(error));
}

struct task {
    pid_t pid;
    bool ended;
};

static bool start_all(
    const struct op_order *order, int control, const int *logs, int port, bool limits_memory, struct task *tasks) {
    for (int rank = 0; rank < order->tasks; rank++) {
        int report[2];
        if (pipe2(report, O_CLOEXEC)) {
            tell(control, OP_NOT_STARTED, rank, errno, "there are too many open files");
            return false;
        }
        tasks[rank].pid = fork();
        if (tasks[rank].pid == 0) become(order, rank, logs[rank], report[1], port, limits_memory);
        int error = errno;
        close(report[1]);
        struct {
            int error;
            char step[200];
        } failure;
        ssize_t count = 0;
        if (tasks[rank].pid > 0)
            while ((count = read(report[0], &failure, sizeof failure)) < 0 && errno == EINTR) {}
        close(report[0]);
        char text[256];
        if (tasks[rank].pid < 0) {
            snprintf(text, sizeof text, "a process cannot be made: %s", strerror(error));
            tell(control, OP_NOT_STARTED, rank, error, text);
            return false;
        }
        if (count > 0) {
            failure.step[sizeof failure.step - 1] = 0;
            explain(order->arguments.items[0], failure.error, failure.step, text, sizeof text);
            tell(control, OP_NOT_STARTED, rank, failure.error, text);
            return false;
        }
        close(logs[rank]);
    }
    tell(control, OP_RUNNING, 0, 0, NULL);
    return true;
}

static _Noreturn void end_everything(bool boxed) {
    if (boxed && getpid() == 1) kill(-1, SIGKILL);
    else op_kill_descendants(getpid());
    _exit(0);
}

int op_gang(const struct op_order *order, int control, const int *logs, int port, bool boxed, bool limits_memory) {
    struct task *tasks = calloc((size_t)order->tasks, sizeof *tasks);
    if (!tasks) return 1;
    prctl(PR_SET_NAME, "onepoint-gang");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) return 1;
    // Jobs are to die before their keepers when memory is short.
    op_write_at(AT_FDCWD, "/proc/self/oom_score_adj", "300");
    char word;
    ssize_t got;
    while ((got = recv(control, &word, 1, 0)) < 0 && errno == EINTR) {}
    if (got != 1 || word != 'G') end_everything(boxed);
    bool started = start_all(order, control, logs, port, limits_memory, tasks);
    if (!started) tell(control, OP_ENDED, 0, 0, NULL);
    int left = started ? order->tasks : 0;
    struct pollfd pollers[] = {{control, POLLIN, 0}, {signals, POLLIN, 0}};
    for (;;) {
        if (poll(pollers, 2, -1) < 0 && errno != EINTR) end_everything(boxed);
        struct signalfd_siginfo waste[8];
        while (read(signals, waste, sizeof waste) > 0) {}
        int status;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
            int rank = 0;
            while (rank < order->tasks && tasks[rank].pid != pid) rank++;
            // Others are orphans that came to us.
            if (rank == order->tasks || tasks[rank].ended) continue;
            tasks[rank].ended = true;
            if (WIFSIGNALED(status)) tell(control, OP_SIGNALLED, rank, WTERMSIG(status), NULL);
            else tell(control, OP_EXITED, rank, WEXITSTATUS(status), NULL);
            if (started && --left == 0) tell(control, OP_ENDED, 0, 0, NULL);
        }
        if (!pollers[0].revents) continue;
        got = recv(control, &word, 1, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got <= 0 || word == 'K') end_everything(boxed);
        for (int rank = 0; word == 'T' && rank < order->tasks; rank++)
            if (tasks[rank].pid > 0 && !tasks[rank].ended) kill(-tasks[rank].pid, SIGTERM);
    }
}

/// `@gang:<control>:<order>:<cards or -1>:<port>:<limits memory>:<first log>`; the logs are consecutive.
int op_gang_entry(const char *arguments) {
    int control, order_fd, cards_fd, port, limits_memory, first;
    if (sscanf(arguments, "@gang:%d:%d:%d:%d:%d:%d", &control, &order_fd, &cards_fd, &port, &limits_memory, &first) != 6)
        return ONEPOINT_SUPERVISE_FAILED;
    struct op_order *order = malloc(sizeof *order);
    int logs[OP_TASKS_MAX];
    if (!order || op_order_read(order, order_fd, cards_fd)) return ONEPOINT_SUPERVISE_BAD_ORDER;
    close(order_fd);
    if (cards_fd >= 0) close(cards_fd);
    fcntl(control, F_SETFD, FD_CLOEXEC);
    for (int rank = 0; rank < order->tasks; rank++) {
        logs[rank] = first + rank;
        fcntl(logs[rank], F_SETFD, FD_CLOEXEC);
    }
    return op_gang(order, control, logs, port, true, limits_memory);
}
