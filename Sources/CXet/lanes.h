// Hashes LANES inputs at a time; included once for each number of lanes.

#define lanes NAME(lanes)

static inline __attribute__((always_inline)) void NAME(some)(const uint32_t key[8], const struct many *inputs,
                                                             size_t first, size_t used, uint32_t (*cvs)[8]) {
    lanes cv[LANES], low, high, zero = {0};
    const uint8_t *from[LANES];
    for (int i = 0; i < LANES; i++) cv[i] = zero + (i < 8 ? key[i] : 0);
    for (size_t lane = 0; lane < LANES; lane++) {
        // Lanes without an input hash the first one again.
        size_t place = first + (lane < used ? lane : 0);
        uint64_t counter = inputs->counter + place * inputs->step;
        from[lane] = inputs->bytes + place * inputs->stride;
        low[lane] = (uint32_t)counter;
        high[lane] = (uint32_t)(counter >> 32);
    }
    for (size_t block = 0; block < inputs->blocks; block++) {
        lanes m[16];
        for (int part = 0; part < 16; part += LANES) {
            for (int lane = 0; lane < LANES; lane++) {
                memcpy(&m[part + lane], from[lane] + block * BLOCK + 4 * part, sizeof(lanes));
            }
            NAME(transpose)(m + part);
        }
        uint32_t flags = inputs->flags | (block == 0 ? inputs->first_flags : 0) |
                         (block == inputs->blocks - 1 ? inputs->last_flags : 0);
        lanes v[16] = {cv[0], cv[1], cv[2], cv[3], cv[4], cv[5], cv[6], cv[7], zero + IV[0], zero + IV[1], zero + IV[2],
                       zero + IV[3], low, high, zero + BLOCK, zero + flags};
#pragma clang loop unroll(full)
        for (int round = 0; round < 7; round++) ROUND(v, m, ORDER[round]);
        for (int i = 0; i < 8; i++) cv[i] = v[i] ^ v[i + 8];
    }
    NAME(transpose)(cv);
    for (size_t lane = 0; lane < used; lane++) memcpy(cvs[first + lane], &cv[lane], 32);
}

static inline __attribute__((always_inline)) void NAME(many)(const uint32_t key[8], const struct many *inputs,
                                                             uint32_t (*cvs)[8]) {
    for (size_t first = 0; first < inputs->count; first += LANES) {
        size_t left = inputs->count - first;
        NAME(some)(key, inputs, first, left < LANES ? left : LANES, cvs);
    }
}

#undef lanes
