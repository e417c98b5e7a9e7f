#include "compactor/group.h"

#include <algorithm>

#include "model/time.h"
#include "tsdb/block/meta_json.h"

namespace gauntlet::compactor {

std::string Group::Name() const {
  std::string name = ResolutionText() + "@{";
  for (const auto& [label, value] : labels) {
    if (name.back() != '{') name += ", ";
    name += label + "=" + tsdb::QuotedJson(value);
  }
  return name + "}";
}

std::vector<Group> GroupBlocks(const blocks::MetaMap& metas) {
  // By the labels themselves: the hash in the key only names them.
  std::map<std::pair<int64_t, std::map<std::string, std::string>>, Group> found;
  for (const auto& [id, meta] : metas) {
    Group& group = found[{meta->thanos.resolution_ms, meta->thanos.labels}];
    if (group.blocks.empty()) {
      group.key = meta->thanos.GroupKey();
      group.labels = meta->thanos.labels;
      group.resolution_ms = meta->thanos.resolution_ms;
    }
    group.blocks.push_back(meta);
  }
  std::vector<Group> groups;
  for (auto& [key, group] : found) {
    SortByTime(&group.blocks);
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.key < b.key; });
  return groups;
}

void SortByTime(BlockList* blocks) {
  std::sort(blocks->begin(), blocks->end(), [](const blocks::MetaPtr& a, const blocks::MetaPtr& b) {
    return a->block.mint_ms != b->block.mint_ms ? a->block.mint_ms < b->block.mint_ms : a->block.ulid < b->block.ulid;
  });
}

std::vector<BlockList> Overlaps(const BlockList& blocks) {
  std::vector<BlockList> found;
  BlockList run;
  int64_t end_ms = 0;
  for (const blocks::MetaPtr& meta : blocks) {
    if (run.empty() || meta->block.mint_ms >= end_ms) {
      if (run.size() > 1) found.push_back(std::move(run));
      run.clear();
      end_ms = meta->block.maxt_ms;
    }
    run.push_back(meta);
    end_ms = std::max(end_ms, meta->block.maxt_ms);
  }
  if (run.size() > 1) found.push_back(std::move(run));
  return found;
}

BlockList FirstOverlap(const BlockList& blocks) {
  std::vector<BlockList> overlaps = Overlaps(blocks);
  return overlaps.empty() ? BlockList() : std::move(overlaps.front());
}

std::string CombineExtensions(const BlockList& blocks) {
  std::vector<tsdb::RawMember> kept;
  bool any = false;
  for (const blocks::MetaPtr& meta : blocks) {
    if (!meta->thanos.extensions.starts_with('{')) continue;
    std::vector<tsdb::RawMember> members = tsdb::SplitMembers(meta->thanos.extensions);
    if (!any) {
      kept = std::move(members);
      any = true;
      continue;
    }
    std::erase_if(kept, [&](const tsdb::RawMember& member) {
      return std::none_of(members.begin(), members.end(), [&](const auto& other) { return other.key == member.key; });
    });
  }
  if (!any) return "";
  std::string out = "{";
  for (const tsdb::RawMember& member : kept) {
    if (out.size() > 1) out += ", ";
    out += member.key + ": " + member.value;
  }
  return out + "}";
}

std::string Describe(const blocks::Meta& meta) {
  return meta.block.ulid.ToString() + " [" + FormatRfc3339Ms(meta.block.mint_ms) + ", " +
         FormatRfc3339Ms(meta.block.maxt_ms) + ")";
}

std::string DescribeIds(const BlockList& blocks) {
  std::string out = "[";
  for (const blocks::MetaPtr& meta : blocks) {
    if (out.size() > 1) out += ' ';
    out += meta->block.ulid.ToString();
  }
  return out + "]";
}

}  // namespace gauntlet::compactor
