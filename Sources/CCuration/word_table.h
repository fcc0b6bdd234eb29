#ifndef ONEPOINT_WORD_TABLE_H
#define ONEPOINT_WORD_TABLE_H

#include <stddef.h>
#include <stdint.h>

/// What a code point is to a text of words.
enum onepoint_word_kind { ONEPOINT_SEPARATOR, ONEPOINT_WORD, ONEPOINT_ALONE, ONEPOINT_SPACE };

struct onepoint_word_trait {
    uint8_t kind;
    int32_t fold;  // what simple case folding adds to the code point
};

extern const struct onepoint_word_trait onepoint_word_traits[];
extern const uint16_t onepoint_word_index[];
extern const uint8_t onepoint_word_blocks[][128];

static inline struct onepoint_word_trait onepoint_word_trait_of(uint32_t point) {
    return onepoint_word_traits[onepoint_word_blocks[onepoint_word_index[point >> 7]][point & 127]];
}

/// The code point at the front of `count` bytes and its length; length 0 if the bytes end inside of it,
/// and (0xFFFD, 1) where they are not UTF-8 (RFC 3629, section 4). `count` is 1 or more.
static inline uint32_t onepoint_utf8_next(const uint8_t *p, size_t count, size_t *length) {
    uint32_t lead = p[0];
    if (lead < 0x80) { *length = 1; return lead; }
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    uint32_t point = lead & (0x7F >> need), least = need == 2 ? 0x80 : need == 3 ? 0x800 : 0x10000;
    *length = 1;
    if (lead < 0xC2 || lead > 0xF4) return 0xFFFD;
    for (size_t i = 1; i < need; i++) {
        if (i == count) { *length = 0; return 0xFFFD; }
        if ((p[i] & 0xC0) != 0x80) return 0xFFFD;
        point = point << 6 | (p[i] & 0x3F);
    }
    if (point < least || point > 0x10FFFF || (point & 0xFFFFF800) == 0xD800) return 0xFFFD;
    *length = need;
    return point;
}

/// Writes a code point, which is one of Unicode's, and returns its length.
static inline size_t onepoint_utf8_encode(uint32_t point, uint8_t *out) {
    if (point < 0x80) { out[0] = (uint8_t)point; return 1; }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xC0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xE0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (point & 0x3F));
    return 4;
}

#endif
