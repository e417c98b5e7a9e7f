#include "objstore/prefix_bucket.h"

namespace gauntlet::objstore {

std::unique_ptr<Bucket> PrefixBucket::Wrap(std::unique_ptr<Bucket> inner, std::string_view prefix) {
  while (prefix.starts_with('/')) prefix.remove_prefix(1);
  std::string clean = DirectoryPrefix(prefix);
  if (clean.empty()) return inner;
  return std::unique_ptr<Bucket>(new PrefixBucket(std::move(inner), std::move(clean)));
}

Status PrefixBucket::Iter(const std::string& dir, const IterOptions& options, const Cancel& cancel,
                          const OnEntry& on_entry) {
  IterOptions below = options;
  for (std::string* bound : {&below.after, &below.until}) {
    if (!bound->empty()) bound->insert(0, prefix_);
  }
  if (options.fold) {
    below.fold = [&](std::string_view at) { return options.fold(at.substr(std::min(prefix_.size(), at.size()))); };
  }
  return inner_->Iter(prefix_ + dir, below, cancel, [&](const ObjectEntry& entry) {
    ObjectEntry mine = entry;
    mine.name.remove_prefix(std::min(prefix_.size(), mine.name.size()));
    return on_entry(mine);
  });
}

}  // namespace gauntlet::objstore
