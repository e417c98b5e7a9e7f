#include "base/hash.h"

#include <xxhash.h>

namespace gauntlet {

uint64_t XxHash64(std::string_view bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

}  // namespace gauntlet
