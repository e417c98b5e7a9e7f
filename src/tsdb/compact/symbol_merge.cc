#include "tsdb/compact/symbol_merge.h"

#include <string>
#include <string_view>

#include "base/loser_tree.h"

namespace gauntlet::tsdb {
namespace {

// Where one source stands. One thread at a time.
struct Front {
  std::string symbol;
  bool ended = false;
};

}  // namespace

Result<SymbolMaps> SymbolMaps::Merge(std::span<const std::unique_ptr<BlockSource>> sources, BlockSink& sink,
                                     const Cancel& cancel, size_t* failed) {
  SymbolMaps merged;
  merged.maps_.resize(sources.size());
  std::vector<Front> fronts(sources.size());
  auto advance = [&](size_t i) {
    std::string_view symbol;
    auto more = sources[i]->NextSymbol(cancel, &symbol);
    if (!more.ok()) {
      *failed = i;
      return more.status();
    }
    fronts[i].ended = !*more;
    fronts[i].symbol.assign(symbol);
    return Status();
  };
  for (size_t i = 0; i < sources.size(); ++i) GN_TRY(advance(i));
  auto before = [&](size_t a, size_t b) {
    if (fronts[a].ended || fronts[b].ended) return fronts[a].ended == fronts[b].ended ? a < b : !fronts[a].ended;
    int order = fronts[a].symbol.compare(fronts[b].symbol);
    return order != 0 ? order < 0 : a < b;
  };
  LoserTree tree;
  tree.Start(sources.size(), before);
  uint32_t next = 0;
  std::string last;
  for (;;) {
    size_t i = tree.winner();
    if (fronts[i].ended) break;
    if (next == 0 || fronts[i].symbol != last) {
      last = fronts[i].symbol;
      if (Status added = sink.AddSymbol(last); !added.ok()) {
        *failed = i;
        return added;
      }
      ++next;
    }
    merged.maps_[i].push_back(next - 1);
    GN_TRY(advance(i));
    tree.Replay(before);
  }
  for (auto& map : merged.maps_) map.shrink_to_fit();
  return merged;
}

size_t SymbolMaps::memory_bytes() const {
  size_t bytes = 0;
  for (const auto& map : maps_) bytes += map.capacity() * sizeof(map[0]);
  return bytes;
}

}  // namespace gauntlet::tsdb
