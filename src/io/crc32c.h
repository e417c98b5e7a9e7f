// CRC-32C (Castagnoli), the checksum of every TSDB file and of framed snappy.
//
// Threads: free functions on values.

#pragma once

#include <cstdint>
#include <string_view>

namespace gauntlet::io {

// The checksum of `a + b` is ExtendCrc32c(Crc32c(a), b).
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);
inline uint32_t Crc32c(std::string_view bytes) { return ExtendCrc32c(0, bytes); }

// The form in which framed snappy stores it.
inline uint32_t MaskCrc32c(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8; }

// The portable way, by tables; ExtendCrc32c uses it where the CPU has no instruction for it.
uint32_t ExtendCrc32cByTable(uint32_t crc, std::string_view bytes);

}  // namespace gauntlet::io
