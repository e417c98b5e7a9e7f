// Conversions between protobuf's types and ours that several messages share. Only for modules that may include
// protobuf.
//
// Threads: pure functions.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "proto/thanos/types.pb.h"

namespace gauntlet::wire {

template <typename Message>
Status ParseMessage(std::string_view bytes, Message* message) {
  if (message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return {};
  return Status(Code::kCorrupt, message->GetTypeName() + " of " + std::to_string(bytes.size()) + " bytes: malformed");
}

inline std::vector<std::string> ToStrings(const google::protobuf::RepeatedPtrField<std::string>& strings) {
  return {strings.begin(), strings.end()};
}

// LabelMatcher of thanos and of prometheus_copy, whose types have the same numbers as MatchType.
template <typename Field>
Result<Matchers> ToMatchers(const Field& messages, const MatcherMaker& make = Matcher::Make) {
  Matchers matchers;
  matchers.reserve(static_cast<size_t>(messages.size()));
  for (const auto& message : messages) {
    if (message.type() < 0 || message.type() > 3)
      return Status(Code::kInvalid, "unknown label matcher type " + std::to_string(message.type()));
    GN_ASSIGN(auto matcher, make(static_cast<MatchType>(message.type()), message.name(), message.value()));
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

template <typename Field>
void FromMatchers(const Matchers& matchers, Field* messages) {
  for (const Matcher& matcher : matchers) {
    auto* message = messages->Add();
    message->set_type(static_cast<decltype(message->type())>(matcher.type()));
    message->set_name(matcher.name());
    message->set_value(matcher.value());
  }
}

// Label sets; `keep_empty` for annotations, where an empty value says something.
Labels ToLabels(const google::protobuf::RepeatedPtrField<thanos::Label>& labels, bool keep_empty = false);
void FromLabels(LabelsView labels, google::protobuf::RepeatedPtrField<thanos::Label>* messages);

}  // namespace gauntlet::wire
