#include "xet.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

enum { AS_IS = 0, LZ4 = 1, GROUPED_LZ4 = 2 };

struct onepoint_xet_decoder {
    LZ4F_dctx *lz4;
    uint8_t grouped[ONEPOINT_XET_CHUNK_MAX];
};

struct onepoint_xet_decoder *onepoint_xet_decoder_new(void) {
    struct onepoint_xet_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder && LZ4F_isError(LZ4F_createDecompressionContext(&decoder->lz4, LZ4F_VERSION))) {
        free(decoder);
        return NULL;
    }
    return decoder;
}

void onepoint_xet_decoder_free(struct onepoint_xet_decoder *decoder) {
    if (!decoder) return;
    LZ4F_freeDecompressionContext(decoder->lz4);
    free(decoder);
}

// A frame must end with the packed bytes and fill the plain ones: never is more written than fits.
static int unpack_frame(LZ4F_dctx *lz4, const uint8_t *packed, size_t packed_count, uint8_t *plain,
                        size_t plain_count) {
    size_t read = 0, written = 0, left = 1;
    LZ4F_resetDecompressionContext(lz4);
    while (left != 0) {
        size_t taken = packed_count - read, made = plain_count - written;
        left = LZ4F_decompress(lz4, plain + written, &made, packed + read, &taken, NULL);
        if (LZ4F_isError(left)) return -1;
        read += taken;
        written += made;
        if (left != 0 && taken == 0 && made == 0) return -1;
    }
    return read == packed_count && written == plain_count ? 0 : -1;
}

int onepoint_xet_unpack(struct onepoint_xet_decoder *decoder, int scheme, const uint8_t *packed, size_t packed_count,
                        uint8_t *plain, size_t plain_count) {
    if (plain_count > ONEPOINT_XET_CHUNK_MAX) return -1;
    switch (scheme) {
    case AS_IS:
        if (packed_count != plain_count) return -1;
        memcpy(plain, packed, plain_count);
        return 0;
    case LZ4: return unpack_frame(decoder->lz4, packed, packed_count, plain, plain_count);
    case GROUPED_LZ4: {
        if (unpack_frame(decoder->lz4, packed, packed_count, decoder->grouped, plain_count) != 0) return -1;
        const uint8_t *from = decoder->grouped;
        for (size_t place = 0; place < 4; place++) {
            for (size_t to = place; to < plain_count; to += 4) plain[to] = *from++;
        }
        return 0;
    }
    default: return -1;
    }
}
