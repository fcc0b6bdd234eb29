#include "curation.h"

#include "word_table.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// State: bit 0, something was written; bit 1, white space waits for what follows it.
size_t onepoint_fold(
    uint32_t *state, const uint8_t *bytes, size_t count, size_t *position, uint8_t *folded, size_t capacity) {
    size_t at = *position, written = 0;
    uint32_t now = *state;
    while (at < count && written + 5 <= capacity) {
#if defined(__SSE2__)
        if ((now & 1) && count - at >= 16 && written + 17 <= capacity) {
            __m128i raw = _mm_loadu_si128((const __m128i *)(bytes + at));
            __m128i upper = _mm_sub_epi8(raw, _mm_set1_epi8('A')), other = _mm_sub_epi8(raw, _mm_set1_epi8(9));
            upper = _mm_cmpeq_epi8(_mm_min_epu8(upper, _mm_set1_epi8(25)), upper);
            other = _mm_cmpeq_epi8(_mm_min_epu8(other, _mm_set1_epi8(4)), other);
            unsigned spaces = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(raw, _mm_set1_epi8(' ')));
            unsigned odd = (unsigned)_mm_movemask_epi8(_mm_or_si128(raw, other));
            // ASCII, and each space single: as it is but for its case.
            if (!odd && !(spaces & spaces << 1) && !(now == 3 && (spaces & 1))) {
                if (now == 3) folded[written++] = ' ';
                raw = _mm_or_si128(raw, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
                _mm_storeu_si128((__m128i *)(folded + written), raw);
                // The space at the end waits for what follows it.
                now = spaces & 0x8000 ? 3 : 1;
                written += now == 3 ? 15 : 16;
                at += 16;
                continue;
            }
        }
#endif
        size_t length;
        uint32_t point = onepoint_utf8_next(bytes + at, count - at, &length);
        if (length == 0) break;
        struct onepoint_word_trait trait = onepoint_word_trait_of(point);
        if (trait.kind == ONEPOINT_SPACE) {
            now |= 2;
        } else {
            if (now == 3) folded[written++] = ' ';
            now = 1;
            if (length == 1 && point == 0xFFFD)
                folded[written++] = bytes[at];  // Not UTF-8: kept, so that texts that differ stay different.
            else
                written += onepoint_utf8_encode(point + (uint32_t)trait.fold, folded + written);
        }
        at += length;
    }
    *state = now;
    *position = at;
    return written;
}
