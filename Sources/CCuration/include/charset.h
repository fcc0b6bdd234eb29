#ifndef ONEPOINT_CHARSET_H
#define ONEPOINT_CHARSET_H

#include <stddef.h>
#include <stdint.h>

/// A conversion from the iconv encoding `name` to UTF-8, or NULL when the C library does not know it.
void *onepoint_iconv_open(const char *name);
void onepoint_iconv_close(void *conversion);

/// Converts `bytes`, with U+FFFD for each byte that begins nothing valid.
///
/// `*taken` gets how many input bytes were used, `*written` how many output bytes were made and `*replaced` grows by the
/// replacements. Returns 1 when all was converted, 0 when `out` (64 bytes at least) is full: go on with the rest.
int onepoint_iconv_step(void *conversion, const uint8_t *bytes, size_t count, uint8_t *out, size_t capacity,
                        size_t *taken, size_t *written, size_t *replaced);

/// How many bytes at the start of `bytes` are valid UTF-8 (the Unicode Standard, table 3-7).
size_t onepoint_utf8_prefix(const uint8_t *bytes, size_t count);

#endif
