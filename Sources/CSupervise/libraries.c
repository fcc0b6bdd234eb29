// What this process is made of beside its executable.
#define _GNU_SOURCE
#include "CSupervise.h"

#include <link.h>
#include <string.h>

struct list {
    char *text;
    size_t capacity, count;
};

static int note(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct list *list = context;
    // The executable has no name here, and what the kernel brings along has no file.
    if (info->dlpi_name == NULL || info->dlpi_name[0] != '/') return 0;
    size_t length = strlen(info->dlpi_name);
    if (list->count + length + 1 <= list->capacity) {
        memcpy(list->text + list->count, info->dlpi_name, length);
        list->text[list->count + length] = '\n';
    }
    list->count += length + 1;
    return 0;
}

size_t onepoint_libraries(char *text, size_t capacity) {
    struct list list = {text, capacity, 0};
    dl_iterate_phdr(note, &list);
    return list.count;
}
