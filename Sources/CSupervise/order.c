// The order: NUL-separated pairs of key and value, so that arguments and variables may hold any other byte.
#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool op_append(struct op_strings *list, char *text) {
    if (list->count >= OP_STRINGS_MAX) return false;
    if (list->count + 1 >= list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        char **items = realloc(list->items, capacity * sizeof *items);
        if (!items) return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = text;
    list->items[list->count] = NULL;
    return true;
}

static bool number(const char *text, int64_t least, int64_t most, int64_t *value) {
    char *end;
    long long parsed = strtoll(text, &end, 10);
    if (!*text || *end || parsed < least || parsed > most) return false;
    *value = parsed;
    return true;
}

static const char *take(struct op_order *order, const char *key, char *value, int64_t *task) {
    static const char full[] = "the order has too many entries", bad[] = "the order has a number out of range";
    int64_t parsed;
    struct op_strings *list = NULL;
    if (!strcmp(key, "arg")) list = &order->arguments;
    else if (!strcmp(key, "env")) list = *task < 0 ? &order->environment : &order->task_environment[*task];
    else if (!strcmp(key, "box")) list = &order->box;
    else if (!strcmp(key, "need")) list = &order->needs;
    else if (!strcmp(key, "prepare")) list = &order->prepare;
    // A name is followed by its text.
    else if (!strcmp(key, "file") && order->files.count % 2 == 0 && !strchr(value, '/')) list = &order->files;
    else if (!strcmp(key, "text") && order->files.count % 2 == 1) list = &order->files;
    if (list) return op_append(list, value) ? NULL : full;

    if (!strcmp(key, "run")) order->run = value;
    else if (!strcmp(key, "job")) order->job = value;
    else if (!strcmp(key, "root")) order->root = value;
    else if (!strcmp(key, "work")) order->work = value;
    else if (!strcmp(key, "temporary")) order->temporary = value;
    else if (!strcmp(key, "prepare_done")) order->prepare_done = value;
    else if (!strcmp(key, "prepare_lock")) order->prepare_lock = value;
    else if (!strcmp(key, "task")) return number(value, 0, OP_TASKS_MAX - 1, task) ? NULL : bad;
    else if (!strcmp(key, "number")) {
        if (!number(value, 1, LONG_MAX, &parsed)) return bad;
        order->number = (long)parsed;
    } else if (!strcmp(key, "tasks")) {
        if (!number(value, 1, OP_TASKS_MAX, &parsed)) return bad;
        order->tasks = (int)parsed;
    } else if (!strcmp(key, "limit_ms")) return number(value, 1, INT64_MAX / 4, &order->limit_ms) ? NULL : bad;
    else if (!strcmp(key, "grace_ms")) return number(value, 0, INT64_MAX / 4, &order->grace_ms) ? NULL : bad;
    else if (!strcmp(key, "memory")) return number(value, 0, INT64_MAX / 4, &order->memory_per_task) ? NULL : bad;
    else if (!strcmp(key, "milli_cores"))
        return number(value, 0, INT64_MAX / 4, &order->milli_cores_per_task) ? NULL : bad;
    // Keys beginning with "x-" are the engine's own notes.
    else if (strncmp(key, "x-", 2)) return "the order has an unknown key; it was written by another version";
    return NULL;
}

static const char *read_file(struct op_order *order, int fd) {
    char *buffer = malloc(OP_ORDER_BYTES_MAX + 1);
    if (!buffer) return "there is no memory to read the order";
    ssize_t count = op_read_fd(fd, buffer, OP_ORDER_BYTES_MAX);
    // Kept for the life of the process: the order points into it.
    char *whole = count > 0 ? realloc(buffer, (size_t)count + 1) : NULL;
    if (!whole || whole[count - 1]) {
        free(whole ? whole : buffer);
        return "the order cannot be read";
    }
    int64_t task = -1;
    for (char *at = whole, *end = whole + count; at < end;) {
        char *key = at;
        at += strlen(at) + 1;
        if (!strcmp(key, "end")) return at == end ? NULL : "the order goes on after its end";
        if (at >= end) break;
        char *value = at;
        at += strlen(at) + 1;
        const char *wrong = take(order, key, value, &task);
        if (wrong) return wrong;
    }
    return "the order is cut off";
}

const char *op_order_read(struct op_order *order, int order_fd, int cards_fd) {
    memset(order, 0, sizeof *order);
    const char *wrong = read_file(order, order_fd);
    if (!wrong && cards_fd >= 0) wrong = read_file(order, cards_fd);
    if (wrong) return wrong;
    if (!order->run || !order->job || !order->root || !order->work || !order->temporary || !order->number
        || !order->tasks || !order->limit_ms || !order->arguments.count)
        return "the order lacks something";
    if (order->prepare.count && (!order->prepare_done || !order->prepare_lock)) return "the order lacks something";
    return NULL;
}
