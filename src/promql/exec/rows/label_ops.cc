#include "promql/exec/rows/label_ops.h"

namespace gauntlet::promql {
namespace {

// The bytes of one label within its packing.
std::string_view PackedPair(const Label& label) {
  const char* begin = label.name.data() - (label.name.size() < 255 ? 1 : 4);
  return {begin, static_cast<size_t>(label.value.data() + label.value.size() - begin)};
}

}  // namespace

void KeepLabels(LabelsView labels, std::span<const std::string> names, std::string* packed) {
  packed->clear();
  auto name = names.begin();
  for (const Label& label : labels) {
    while (name != names.end() && *name < label.name) ++name;
    if (name == names.end()) return;
    if (*name == label.name) packed->append(PackedPair(label));
  }
}

void RemoveLabels(LabelsView labels, std::span<const std::string> names, std::string* packed) {
  packed->clear();
  auto name = names.begin();
  for (const Label& label : labels) {
    while (name != names.end() && *name < label.name) ++name;
    if (name != names.end() && *name == label.name) continue;
    if (label.name != kMetricName) packed->append(PackedPair(label));
  }
}

namespace {

template <typename Drops>
Labels DropLabels(LabelsView labels, std::string* dropped, Drops drops) {
  std::string kept;
  kept.reserve(labels.packed().size());
  for (const Label& label : labels) {
    if (!drops(label.name)) {
      kept.append(PackedPair(label));
    } else if (dropped != nullptr) {
      dropped->append(PackedPair(label));
    }
  }
  return Labels::FromPacked(std::move(kept));
}

}  // namespace

Labels DropMetadata(LabelsView labels, std::string* dropped) { return DropLabels(labels, dropped, IsMetadataLabel); }

Labels DropName(LabelsView labels, std::string* dropped) {
  return DropLabels(labels, dropped, [](std::string_view name) { return name == kMetricName; });
}

bool NameGuard::Same(std::string_view dropped) {
  const std::string* first = first_.load(std::memory_order_acquire);
  if (first == nullptr) {
    MutexLock lock(mutex_);
    if (first_.load(std::memory_order_relaxed) == nullptr) {
      storage_ = dropped;
      first_.store(&storage_, std::memory_order_release);
      return true;
    }
    first = &storage_;
  }
  return *first == dropped;
}

}  // namespace gauntlet::promql
