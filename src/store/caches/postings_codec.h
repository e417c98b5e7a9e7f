// Postings as Thanos keeps them in caches: differences as varints, in a framed snappy stream, behind a header.
//
// Format:  "dss" + framed snappy of uvarints; "dvs" + a snappy block of the same is read too
// Upstream: thanos pkg/store/postings_codec.go
// Threads: free functions.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gauntlet::store {

// REQUIRES: ascending.
std::string EncodePostings(std::span<const uint32_t> ids);
// kCorrupt unless these are ascending ids, as many as may come out of so many bytes.
Result<std::vector<uint32_t>> DecodePostings(std::string_view bytes);

// A list as an index has it, from its length to its checksum.
std::string IndexListOf(std::span<const uint32_t> ids);

}  // namespace gauntlet::store
