#include "curation.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

typedef uint8_t lanes __attribute__((vector_size(16)));

// Whether any lane is set; compilers make one instruction of it.
static inline int any(lanes mask) {
    uint64_t halves[2];
    memcpy(halves, &mask, 16);
    return (halves[0] | halves[1]) != 0;
}

size_t onepoint_json_string_stop(const uint8_t *bytes, size_t from, size_t count) {
    size_t at = from;
    for (; at + 16 <= count; at += 16) {
        lanes block;
        memcpy(&block, bytes + at, 16);
        lanes stops = (lanes)(block == '"') | (lanes)(block == '\\') | (lanes)(block < 0x20);
#if defined(__SSE2__)
        unsigned mask = (unsigned)_mm_movemask_epi8((__m128i)stops);
        if (mask) return at + (unsigned)__builtin_ctz(mask);
#else
        if (any(stops)) break;
#endif
    }
    for (; at < count; at++) {
        uint8_t byte = bytes[at];
        if (byte == '"' || byte == '\\' || byte < 0x20) return at;
    }
    return count;
}

static inline int is_tail(uint8_t byte) { return (byte & 0xC0) == 0x80; }

size_t onepoint_utf8_valid_prefix(const uint8_t *bytes, size_t count) {
    size_t at = 0;
    while (at < count) {
        if (bytes[at] < 0x80) {
            for (; at + 16 <= count; at += 16) {
                lanes block;
                memcpy(&block, bytes + at, 16);
                if (any(block & 0x80)) break;
            }
            while (at < count && bytes[at] < 0x80) at++;
            continue;
        }
        uint8_t lead = bytes[at];
        size_t left = count - at;
        if (lead >= 0xE1 && lead <= 0xEF && lead != 0xED) {
            if (left < 3 || !is_tail(bytes[at + 1]) || !is_tail(bytes[at + 2])) return at;
            at += 3;
        } else if (lead >= 0xC2 && lead <= 0xDF) {
            if (left < 2 || !is_tail(bytes[at + 1])) return at;
            at += 2;
        } else if (lead == 0xE0 || lead == 0xED) {
            if (left < 3 || !is_tail(bytes[at + 2])) return at;
            uint8_t low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xE0 ? 0xBF : 0x9F;
            if (bytes[at + 1] < low || bytes[at + 1] > high) return at;
            at += 3;
        } else if (lead >= 0xF0 && lead <= 0xF4) {
            if (left < 4 || !is_tail(bytes[at + 2]) || !is_tail(bytes[at + 3])) return at;
            uint8_t low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
            if (bytes[at + 1] < low || bytes[at + 1] > high) return at;
            at += 4;
        } else {
            return at;
        }
    }
    return count;
}
