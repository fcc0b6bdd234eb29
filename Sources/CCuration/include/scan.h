#ifndef ONEPOINT_CURATION_SCAN_H
#define ONEPOINT_CURATION_SCAN_H

#include <stddef.h>
#include <stdint.h>

/// Where the first byte at or after `from` is that means something inside a JSON string: a quotation mark, a backslash,
/// or a control character. `count` when there is none.
size_t onepoint_json_string_stop(const uint8_t *bytes, size_t from, size_t count);

/// How many of the first bytes are valid UTF-8 (RFC 3629: no surrogates, nothing overlong, nothing above U+10FFFF);
/// `count` when all are.
size_t onepoint_utf8_valid_prefix(const uint8_t *bytes, size_t count);

#endif
