#ifndef ONEPOINT_NORMALIZATION_H
#define ONEPOINT_NORMALIZATION_H

#include <stddef.h>
#include <stdint.h>

/// Where the code points of the astral planes that are mapped follow those of the basic plane in the table.
enum { ONEPOINT_NORMALIZATION_COUNT = 65536 + 1024 + 256, ONEPOINT_NORMALIZATION_EXPANSIONS = 2046 };

/// What each code point becomes: 0 itself, 0xD800 nothing, above that and below 0xE000 an expansion, else the code point.
struct onepoint_normalization {
    uint16_t map[ONEPOINT_NORMALIZATION_COUNT];
    uint16_t expansion_start[ONEPOINT_NORMALIZATION_EXPANSIONS];
    uint8_t expansion_length[ONEPOINT_NORMALIZATION_EXPANSIONS];
};

/// Fills the table, which is all zeros, from the generated lists.
void onepoint_normalization_fill(struct onepoint_normalization *table);

/// From `view` on, bytes of the view stand for the original's from `start` on, one for one; when `end` is not 0, the bytes up
/// to the next segment stand for the one piece `start ..< end`.
struct onepoint_segment {
    size_t view, start, end;
};

/// How far a text has come: all zeros at its beginning.
struct onepoint_normalization_state {
    size_t consumed, produced, segments;
    uint8_t after_han, is_broken;
};

/// Writes the view of `text` to `view` and its segments to `segments`, until the text or one of the buffers ends.
///
/// Returns 1 at the end of the text. Otherwise give it larger buffers with the same beginnings. Linear; any bytes are taken,
/// those that are not UTF-8 stay. The view has at most four bytes for each of the text.
int onepoint_normalize(
    const struct onepoint_normalization *table, const uint8_t *text, size_t count, uint8_t *view, size_t view_capacity,
    struct onepoint_segment *segments, size_t segment_capacity, struct onepoint_normalization_state *state);

#endif
