#ifndef ONEPOINT_XET_H
#define ONEPOINT_XET_H

#include <stddef.h>
#include <stdint.h>

/// The most that one chunk of a xorb has when unpacked.
#define ONEPOINT_XET_CHUNK_MAX (128 * 1024)

/// BLAKE3 in keyed mode, of bytes that are all here.
void onepoint_blake3_keyed(const uint8_t key[32], const void *bytes, size_t count, uint8_t hash[32]);

/// Unpacks the chunks of a xorb. For one thread at a time.
struct onepoint_xet_decoder;

/// NULL when there is no memory.
struct onepoint_xet_decoder *onepoint_xet_decoder_new(void);
void onepoint_xet_decoder_free(struct onepoint_xet_decoder *decoder);

/// Unpacks one chunk into exactly `plain_count` bytes, at most ONEPOINT_XET_CHUNK_MAX.
///
/// `scheme`: 0 as it is, 1 an LZ4 frame, 2 an LZ4 frame of bytes grouped by their place in four.
/// 0 when it worked; -1 when the packed bytes are broken or have another length.
int onepoint_xet_unpack(struct onepoint_xet_decoder *decoder, int scheme, const uint8_t *packed, size_t packed_count,
                        uint8_t *plain, size_t plain_count);

#endif
