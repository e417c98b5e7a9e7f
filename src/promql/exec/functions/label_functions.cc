#include "promql/exec/functions/label_functions.h"

#include <utility>

#include "model/regex/regex.h"
#include "promql/exec/rows/merge.h"

namespace gauntlet::promql {
namespace {

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// A reference after the '$': its name, and what follows it. False when there is none.
bool TakeReference(std::string_view* text, std::string_view* name) {
  std::string_view rest = *text;
  bool brace = rest.starts_with('{');
  if (brace) rest.remove_prefix(1);
  size_t length = 0;
  while (length < rest.size() && IsNameByte(rest[length])) ++length;
  if (length == 0) return false;
  *name = rest.substr(0, length);
  rest.remove_prefix(length);
  if (brace) {
    if (!rest.starts_with('}')) return false;
    rest.remove_prefix(1);
  }
  *text = rest;
  return true;
}

// The group's number, or npos for a name. "01" is a name.
size_t GroupNumber(std::string_view name) {
  if (name[0] == '0' && name.size() > 1) return std::string_view::npos;
  size_t number = 0;
  for (char c : name) {
    if (c < '0' || c > '9' || number >= 100'000'000) return std::string_view::npos;
    number = number * 10 + static_cast<size_t>(c - '0');
  }
  return number;
}

constexpr size_t kPollRows = 1024;                        // between two looks at the end of the query
constexpr size_t kLabelBytesMax = (size_t{1} << 24) - 1;  // what labels can hold, here as upstream

class LabelFunction : public Operator {
 public:
  LabelFunction(ExecContext& context, const PlanNode& node, std::vector<std::string> strings,
                std::unique_ptr<Operator> input)
      : Operator(context, node), strings_(std::move(strings)) {
    AddChild(std::move(input));
  }

  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (children_[0] == nullptr) return false;
    GN_TRY(CheckStrings());
    GN_TRY(Drain(0, batch));
    for (size_t i = 0; i < batch->size(); ++i) {
      if (i % kPollRows == kPollRows - 1) GN_TRY(context_.CheckCancel());
      Row& row = (*batch)[i];
      if (!NewValue(row.labels, &value_)) continue;
      if (value_.size() > kLabelBytesMax) return Status(Code::kInvalid, "String too long to encode as label.");
      const size_t before = row.labels.memory_bytes();
      builder_.Reset(row.labels);
      builder_.Set(target(), value_);
      row.labels = builder_.Build();
      if (row.labels.memory_bytes() > before) GN_TRY(charge_.Grow(row.labels.memory_bytes() - before));
      if (target() == kMetricName) row.drop_name = false;
    }
    GN_TRY(MergeSameLabels(context_, batch, MergedName::kOfFirstRow));
    GN_TRY(held_.Set(CountSamples(*batch)));
    charge_.Clear();
    return !batch->empty();
  }

 protected:
  virtual Status CheckStrings() = 0;
  // The value of the target label, cut where it is longer than labels can be; false to leave the series as it is.
  virtual bool NewValue(LabelsView labels, std::string* value) = 0;
  const std::string& target() const { return strings_[0]; }
  const std::vector<std::string> strings_;

 private:
  LabelsBuilder builder_;
  std::string value_;
};

class LabelReplace : public LabelFunction {
 public:
  using LabelFunction::LabelFunction;

 protected:
  Status CheckStrings() override {
    Result<std::shared_ptr<const Regex>> regex = Regex::MakeCapturing(strings_[3]);
    if (!regex.ok()) {
      return Status(Code::kInvalid, "invalid regular expression in label_replace(): " + strings_[3]);
    }
    regex_ = *regex;
    if (!IsValidUtf8(target())) {
      return Status(Code::kInvalid, "invalid destination label name in label_replace(): " + target());
    }
    return Status();
  }
  bool NewValue(LabelsView labels, std::string* value) override {
    std::vector<std::string_view> captures = regex_->Captures(labels.Get(strings_[2]));
    if (captures.empty()) return false;
    *value = ExpandTemplate(strings_[1], captures, regex_->group_names(), kLabelBytesMax + 1);
    return true;
  }

 private:
  std::shared_ptr<const Regex> regex_;
};

class LabelJoin : public LabelFunction {
 public:
  using LabelFunction::LabelFunction;

 protected:
  Status CheckStrings() override {
    for (size_t i = 2; i < strings_.size(); ++i) {
      if (!IsValidUtf8(strings_[i])) {
        return Status(Code::kInvalid, "invalid source label name in label_join(): " + strings_[i]);
      }
    }
    if (!IsValidUtf8(target())) {
      return Status(Code::kInvalid, "invalid destination label name in label_join(): " + target());
    }
    return Status();
  }
  bool NewValue(LabelsView labels, std::string* value) override {
    value->clear();
    for (size_t i = 2; i < strings_.size() && value->size() <= kLabelBytesMax; ++i) {
      if (i > 2) *value += strings_[1];
      *value += labels.Get(strings_[i]);
    }
    return true;
  }
};

}  // namespace

std::string ExpandTemplate(std::string_view text, const std::vector<std::string_view>& captures,
                           const std::vector<std::string>& names, size_t bytes_max) {
  std::string out;
  while (out.size() < bytes_max) {
    size_t dollar = text.find('$');
    if (dollar == std::string_view::npos) break;
    out += text.substr(0, dollar);
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
      continue;
    }
    std::string_view name;
    if (!TakeReference(&text, &name)) {
      out += '$';
      continue;
    }
    size_t number = GroupNumber(name);
    if (number != std::string_view::npos) {
      if (number < captures.size()) out += captures[number];
      continue;
    }
    for (size_t i = 0; i < names.size() && i < captures.size(); ++i) {
      if (names[i] != name || captures[i].data() == nullptr) continue;
      out += captures[i];
      break;
    }
  }
  out += text;
  return out;
}

std::unique_ptr<Operator> MakeLabelReplace(ExecContext& context, const PlanNode& node, std::vector<std::string> strings,
                                           std::unique_ptr<Operator> input) {
  return std::make_unique<LabelReplace>(context, node, std::move(strings), std::move(input));
}
std::unique_ptr<Operator> MakeLabelJoin(ExecContext& context, const PlanNode& node, std::vector<std::string> strings,
                                        std::unique_ptr<Operator> input) {
  return std::make_unique<LabelJoin>(context, node, std::move(strings), std::move(input));
}

}  // namespace gauntlet::promql
