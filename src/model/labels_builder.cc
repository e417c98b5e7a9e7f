#include <algorithm>

#include "model/labels.h"

namespace gauntlet {

void LabelsBuilder::Reset(LabelsView base) {
  base_ = base;
  changes_.clear();
  arena_.clear();
}

LabelsBuilder::Change& LabelsBuilder::Touch(std::string_view name) {
  auto at = std::lower_bound(changes_.begin(), changes_.end(), name,
                             [this](const Change& change, std::string_view n) { return View(change.name) < n; });
  if (at == changes_.end() || View(at->name) != name) at = changes_.insert(at, Change{Store(name), Slice{}});
  return *at;
}

const LabelsBuilder::Change* LabelsBuilder::Find(std::string_view name) const {
  auto at = std::lower_bound(changes_.begin(), changes_.end(), name,
                             [this](const Change& change, std::string_view n) { return View(change.name) < n; });
  return at == changes_.end() || View(at->name) != name ? nullptr : &*at;
}

LabelsBuilder::Slice LabelsBuilder::Store(std::string_view s) {
  Slice slice{static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(s.size())};
  arena_.append(s);
  return slice;
}

LabelsBuilder& LabelsBuilder::Set(std::string_view name, std::string_view value) {
  if (name.empty()) return *this;
  if (Owns(name) || Owns(value)) return Set(std::string(name), std::string(value));  // the arena is about to move
  Slice stored = Store(value);
  Touch(name).value = stored;
  return *this;
}

LabelsBuilder& LabelsBuilder::Del(std::string_view name) {
  if (name.empty()) return *this;
  if (Owns(name)) return Del(std::string(name));
  Touch(name).value = Slice{};
  return *this;
}

LabelsBuilder& LabelsBuilder::Keep(std::span<const std::string> names) {
  auto kept = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (Change& change : changes_) {
    if (!kept(View(change.name))) change.value = Slice{};
  }
  for (const Label& label : base_) {
    if (!kept(label.name)) Del(label.name);
  }
  return *this;
}

std::string_view LabelsBuilder::Get(std::string_view name) const {
  const Change* change = Find(name);
  return change ? View(change->value) : base_.Get(name);
}

std::vector<std::pair<std::string, std::string>> LabelsBuilder::Pairs() const {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Label& label : base_) {
    if (!label.value.empty() && Find(label.name) == nullptr) pairs.emplace_back(label.name, label.value);
  }
  for (const Change& change : changes_) {
    if (change.value.bytes > 0) pairs.emplace_back(View(change.name), View(change.value));
  }
  return pairs;
}

Labels LabelsBuilder::Build() const {
  std::string packed;
  packed.reserve(base_.packed().size() + arena_.size() + 2 * changes_.size());
  auto change = changes_.begin();
  auto append = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) PackLabel(packed, name, value);
  };
  for (const Label& label : base_) {
    while (change != changes_.end() && View(change->name) < label.name) {
      append(View(change->name), View(change->value));
      ++change;
    }
    if (change != changes_.end() && View(change->name) == label.name) {
      append(label.name, View(change->value));
      ++change;
    } else {
      append(label.name, label.value);
    }
  }
  for (; change != changes_.end(); ++change) append(View(change->name), View(change->value));
  return Labels::FromPacked(std::move(packed));
}

}  // namespace gauntlet
