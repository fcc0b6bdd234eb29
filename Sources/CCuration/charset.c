#include "charset.h"

#include <errno.h>
#include <iconv.h>

int onepoint_to_utf8(const char *name, const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, size_t *taken,
                     size_t *written, size_t *replaced) {
    iconv_t conversion = iconv_open("UTF-8", name);
    if (conversion == (iconv_t)-1) return -1;
    char *from = (char *)bytes, *to = (char *)out;
    size_t left = count, room = capacity;
    int done = 0;
    for (;;) {
        if (iconv(conversion, &from, &left, &to, &room) != (size_t)-1) {
            // Flushes what encodings of combined letters (BIG5-HKSCS) hold back at the end.
            done = iconv(conversion, NULL, NULL, &to, &room) != (size_t)-1;
            break;
        }
        if (errno == E2BIG) {
            // A letter held back is written before the descriptor is closed, if there is room for it.
            if (room >= 8) iconv(conversion, NULL, NULL, &to, &room);
            break;
        }
        // Not a character, or the end of the input inside one: one byte is given up, and U+FFFD stands for it.
        if (room < 16 || left == 0) {
            done = left == 0;
            break;
        }
        // The letter held back, if any, comes before the replacement, and the state is that of a new character.
        iconv(conversion, NULL, NULL, &to, &room);
        if (room < 3) break;
        *to++ = (char)0xEF, *to++ = (char)0xBF, *to++ = (char)0xBD;
        room -= 3;
        from++, left--;
        ++*replaced;
    }
    *taken = count - left;
    *written = capacity - room;
    iconv_close(conversion);
    return done;
}
