#ifndef ONEPOINT_HTML_H
#define ONEPOINT_HTML_H

#include <stddef.h>
#include <stdint.h>

/// Where `byte` stands first in `bytes[from ..< count]`, or `count`.
size_t onepoint_find_byte(const uint8_t *bytes, size_t from, size_t count, uint8_t byte);

/// Where `a` or `b` stands first in `bytes[from ..< count]`, or `count`.
size_t onepoint_find_either(const uint8_t *bytes, size_t from, size_t count, uint8_t a, uint8_t b);

/// The longest named character reference at the start of `bytes`, which begin behind the ampersand.
///
/// Returns how many bytes the name takes, its semicolon included, or 0 for none; `out` gets one or two code points (the
/// second is 0 for one).
size_t onepoint_html_reference(const uint8_t *bytes, size_t count, uint32_t out[2]);

#endif
