#ifndef ONEPOINT_CHARSET_H
#define ONEPOINT_CHARSET_H

#include <stddef.h>
#include <stdint.h>

/// Converts `bytes` from the iconv encoding `name` to UTF-8 into `out`, each byte that begins nothing valid as U+FFFD.
///
/// `*taken` gets how many input bytes were used, `*written` how many output bytes were made and `*replaced` grows by the
/// replacements. Returns 1 when all of `bytes` was converted, 0 when `out` is full (call again with the rest; the
/// encodings we use keep no state between characters), -1 when the C library does not know `name`.
int onepoint_to_utf8(const char *name, const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity, size_t *taken,
                     size_t *written, size_t *replaced);

#endif
