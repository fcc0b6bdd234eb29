#include "charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

void *onepoint_iconv_open(const char *name) {
    iconv_t conversion = iconv_open("UTF-8", name);
    return conversion == (iconv_t)-1 ? NULL : (void *)conversion;
}

void onepoint_iconv_close(void *conversion) {
    if (conversion) iconv_close((iconv_t)conversion);
}

int onepoint_iconv_step(void *conversion, const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity,
                        size_t *taken, size_t *written, size_t *replaced) {
    iconv_t handle = (iconv_t)conversion;
    char *from = (char *)bytes, *to = (char *)out;
    // What iconv holds back to combine, and a replacement, always fit behind the room it is given.
    const size_t reserve = 32;
    size_t left = count, room = capacity > reserve ? capacity - reserve : 0;
    int done = 0;
    for (;;) {
        if (iconv(handle, &from, &left, &to, &room) != (size_t)-1) {
            done = 1;
            break;
        }
        if (errno == E2BIG) break;
        // Not a character, or the end of the input inside one: one byte is given up, and U+FFFD stands for it. A letter
        // held back comes before it, and the state is that of a new character.
        // Some converters take the beginning of a character at the end into their state: then nothing is left to give up.
        size_t extra = reserve + room;
        iconv(handle, NULL, NULL, &to, &extra);
        *to++ = (char)0xEF, *to++ = (char)0xBF, *to++ = (char)0xBD;
        ++*replaced;
        if (left == 0) {
            done = 1;
            break;
        }
        from++, left--;
        size_t used = (size_t)(to - (char *)out);
        if (used + reserve >= capacity) {
            done = left == 0;
            break;
        }
        room = capacity - reserve - used;
    }
    if (done) {
        size_t extra = capacity - (size_t)(to - (char *)out);
        iconv(handle, NULL, NULL, &to, &extra);
    }
    *taken = count - left;
    *written = (size_t)(to - (char *)out);
    return done;
}

size_t onepoint_utf8_prefix(const uint8_t *bytes, size_t count) {
    size_t i = 0;
    while (i < count) {
        uint8_t first = bytes[i];
        if (first < 0x80) {
            i++;
            while (count - i >= 8) {
                uint64_t word;
                memcpy(&word, bytes + i, 8);
                if (word & 0x8080808080808080u) break;
                i += 8;
            }
            continue;
        }
        size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
        if (length == 0 || count - i < length) return i;
        uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (bytes[i + 1] < low || bytes[i + 1] > high) return i;
        for (size_t k = 2; k < length; k++)
            if ((bytes[i + k] & 0xC0) != 0x80) return i;
        i += length;
    }
    return i;
}
