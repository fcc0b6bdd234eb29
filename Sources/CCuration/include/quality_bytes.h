#ifndef ONEPOINT_QUALITY_BYTES_H
#define ONEPOINT_QUALITY_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// What the C library does best with bytes, for Swift to call without a detour.

/// The first byte of this value, or null.
static inline const uint8_t *_Nullable onepoint_quality_find_byte(const uint8_t *_Nonnull bytes, uint8_t value, size_t count) {
    return memchr(bytes, value, count);
}

static inline bool onepoint_bytes_equal(const uint8_t *_Nonnull a, const uint8_t *_Nonnull b, size_t count) {
    return memcmp(a, b, count) == 0;
}

/// Where, from a place on, "#", "..", "…", the sign of kelvin or one of the phrases that C4 drops by may be, each by two
/// or three of its bytes: "ja" of "javascript", "m " of "lorem ipsum", "ms" of "terms of use", "va" of "privacy policy",
/// "ki" of "cookie". `count` where nothing is. Two bytes behind the end are read.
size_t onepoint_quality_mark(const uint8_t *_Nonnull text, size_t from, size_t count);

#endif
