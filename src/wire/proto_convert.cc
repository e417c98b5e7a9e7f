#include "wire/proto_convert.h"

#include <algorithm>

namespace gauntlet::wire {

Labels ToLabels(const google::protobuf::RepeatedPtrField<thanos::Label>& labels, bool keep_empty) {
  std::vector<const thanos::Label*> sorted;
  for (const thanos::Label& label : labels)
    if (keep_empty || !label.value().empty()) sorted.push_back(&label);
  auto before = [](const auto* a, const auto* b) { return a->name() < b->name(); };
  if (!std::is_sorted(sorted.begin(), sorted.end(), before)) std::sort(sorted.begin(), sorted.end(), before);
  std::string packed;
  for (size_t i = 0; i < sorted.size(); ++i)
    if (i + 1 == sorted.size() || sorted[i]->name() != sorted[i + 1]->name())
      PackLabel(packed, sorted[i]->name(), sorted[i]->value());
  return Labels::FromPacked(std::move(packed));
}

void FromLabels(LabelsView labels, google::protobuf::RepeatedPtrField<thanos::Label>* messages) {
  for (const Label& label : labels) {
    thanos::Label* message = messages->Add();
    message->set_name(std::string(label.name));
    message->set_value(std::string(label.value));
  }
}

}  // namespace gauntlet::wire
