#include "storeapi/chunk_union.h"

#include <algorithm>
#include <tuple>

namespace gauntlet::storeapi {
namespace {

using Group = std::span<const wire::ChunkView>;

bool SameChunk(const wire::ChunkView& a, const wire::ChunkView& b) {
  if (a.aggregate != b.aggregate || a.encoding != b.encoding || a.data.size() != b.data.size()) return false;
  if (a.hash != 0 && b.hash != 0 && a.hash != b.hash) return false;
  return a.data == b.data;
}

bool SameGroup(Group a, Group b) { return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameChunk); }

auto Times(Group group) { return std::tuple(group[0].min_time_ms, group[0].max_time_ms); }

}  // namespace

std::span<const wire::ChunkView> ChunkUnion::Of(std::span<const SeriesPart> parts) {
  if (parts.size() == 1) return parts[0].chunks();
  groups_.clear();
  for (const SeriesPart& part : parts) {
    auto chunks = part.chunks();
    for (size_t begin = 0, end; begin < chunks.size(); begin = end) {
      for (end = begin + 1; end < chunks.size() && chunks[end].joined; ++end) {
      }
      groups_.push_back(chunks.subspan(begin, end - begin));
    }
  }
  std::stable_sort(groups_.begin(), groups_.end(), [](Group a, Group b) { return Times(a) < Times(b); });
  chunks_.clear();
  for (size_t i = 0; i < groups_.size(); ++i) {
    bool copy = false;
    for (size_t j = i; j-- > 0 && Times(groups_[j]) == Times(groups_[i]) && !copy;)
      copy = SameGroup(groups_[j], groups_[i]);
    if (!copy) chunks_.insert(chunks_.end(), groups_[i].begin(), groups_[i].end());
  }
  return chunks_;
}

}  // namespace gauntlet::storeapi
