#include "curation.h"

// One loop in vectors of sixteen lanes; the compiler splits them for each ISA, so all give the same minima. AVX-512 was
// measured on Zen 4 to be no faster than AVX2, and is left out.
typedef uint32_t lanes16 __attribute__((vector_size(64), aligned(4)));

static inline __attribute__((always_inline)) void lower(
    const uint64_t *shingles, size_t count, const uint32_t *multipliers, const uint32_t *addends, uint32_t *minima,
    size_t lanes) {
    for (size_t lane = 0; lane + 16 <= lanes; lane += 16) {
        lanes16 multiplier = *(const lanes16 *)(multipliers + lane), addend = *(const lanes16 *)(addends + lane);
        lanes16 least = *(const lanes16 *)(minima + lane);
        for (size_t i = 0; i < count; i++) {
            lanes16 value = (uint32_t)shingles[i] * multiplier + addend;
            least = __builtin_elementwise_min(value, least);
        }
        *(lanes16 *)(minima + lane) = least;
    }
}

#define ARGUMENTS                                                                                                      \
    const uint64_t *shingles, size_t count, const uint32_t *multipliers, const uint32_t *addends, uint32_t *minima, \
        size_t lanes
#define PASS shingles, count, multipliers, addends, minima, lanes

static void lower_baseline(ARGUMENTS) { lower(PASS); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void lower_avx2(ARGUMENTS) { lower(PASS); }
#endif

int onepoint_isa_available(int isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (isa == ONEPOINT_AVX2) return __builtin_cpu_supports("avx2") != 0;
#endif
    return isa == ONEPOINT_BASELINE;
}

void onepoint_minhash(int isa, ARGUMENTS) {
#if defined(__x86_64__)
    if (isa == ONEPOINT_AVX2) { lower_avx2(PASS); return; }
#endif
    (void)isa;
    lower_baseline(PASS);
}
