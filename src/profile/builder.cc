#include "profile/builder.h"

#include "base/check.h"
#include "base/varint.h"

namespace gauntlet::profile {
namespace {

void AppendInt(std::string& out, int field, uint64_t v) {
  if (v == 0) return;
  AppendUvarint(out, static_cast<uint64_t>(field) << 3);
  AppendUvarint(out, v);
}

void AppendBytes(std::string& out, int field, std::string_view bytes) {
  AppendUvarint(out, static_cast<uint64_t>(field) << 3 | 2);
  AppendUvarint(out, bytes.size());
  out += bytes;
}

}  // namespace

ProfileBuilder::ProfileBuilder(std::vector<ValueType> sample_types) : sample_types_(std::move(sample_types)) {
  String("");  // index 0 is the empty string
}

void ProfileBuilder::SetPeriod(const ValueType& type, int64_t period) {
  period_type_ = type;
  period_ = period;
}

void ProfileBuilder::SetTime(int64_t start_unix_ns, int64_t duration_ns) {
  start_ns_ = start_unix_ns;
  duration_ns_ = duration_ns;
}

void ProfileBuilder::SetDefaultType(std::string_view type) { default_type_ = String(type); }

void ProfileBuilder::AddComment(std::string_view text) { comments_.push_back(String(text)); }

uint64_t ProfileBuilder::String(std::string_view text) {
  auto [it, added] = string_ids_.try_emplace(std::string(text), strings_.size());
  if (added) strings_.emplace_back(text);
  return it->second;
}

uint64_t ProfileBuilder::Location(uintptr_t address) {
  auto [it, added] = location_ids_.try_emplace(address, locations_.size() + 1);
  if (added) locations_.push_back(address);
  return it->second;
}

void ProfileBuilder::AddSample(std::span<const uintptr_t> stack, std::span<const int64_t> values,
                               const std::map<std::string, std::string>& labels) {
  GN_CHECK(values.size() == sample_types_.size());
  std::string sample, packed;
  for (uintptr_t address : stack) AppendUvarint(packed, Location(address));
  AppendBytes(sample, 1, packed);
  packed.clear();
  for (int64_t value : values) AppendUvarint(packed, static_cast<uint64_t>(value));
  AppendBytes(sample, 2, packed);
  for (const auto& [key, value] : labels) {
    std::string label;
    AppendInt(label, 1, String(key));
    AppendInt(label, 2, String(value));
    AppendBytes(sample, 3, label);
  }
  AppendBytes(samples_, 2, sample);
}

void ProfileBuilder::AppendValueType(std::string& out, int field, const ValueType& type) {
  std::string text;
  AppendInt(text, 1, String(type.type));
  AppendInt(text, 2, String(type.unit));
  AppendBytes(out, field, text);
}

void ProfileBuilder::AppendLocations(const Symbols& symbols) {
  const auto& mappings = symbols.mappings();
  for (size_t i = 0; i < mappings.size(); ++i) {
    std::string mapping;
    AppendInt(mapping, 1, i + 1);
    AppendInt(mapping, 2, mappings[i].start);
    AppendInt(mapping, 3, mappings[i].end);
    AppendInt(mapping, 4, mappings[i].offset);
    AppendInt(mapping, 5, String(mappings[i].file));
    AppendInt(mapping, 7, 1);  // has_functions
    AppendBytes(tables_, 3, mapping);
  }
  std::unordered_map<std::string, uint64_t> functions;
  for (size_t i = 0; i < locations_.size(); ++i) {
    std::string location;
    AppendInt(location, 1, i + 1);
    size_t mapping = symbols.MappingOf(locations_[i]);
    if (mapping < mappings.size()) AppendInt(location, 2, mapping + 1);
    AppendInt(location, 3, locations_[i]);
    Symbol symbol = symbols.Find(locations_[i]);
    if (!symbol.name.empty()) {
      auto [it, added] = functions.try_emplace(symbol.name, functions.size() + 1);
      if (added) {
        std::string function;
        AppendInt(function, 1, it->second);
        AppendInt(function, 2, String(symbol.demangled));
        AppendInt(function, 3, String(symbol.name));
        AppendBytes(tables_, 5, function);
      }
      std::string line;
      AppendInt(line, 1, it->second);
      AppendBytes(location, 4, line);
    }
    AppendBytes(tables_, 4, location);
  }
}

std::string ProfileBuilder::Encode(const Symbols& symbols) {
  std::string out;
  for (const ValueType& type : sample_types_) AppendValueType(out, 1, type);
  out += samples_;
  AppendLocations(symbols);
  out += tables_;
  if (!period_type_.type.empty()) AppendValueType(out, 11, period_type_);
  for (const std::string& text : strings_) AppendBytes(out, 6, text);
  AppendInt(out, 9, static_cast<uint64_t>(start_ns_));
  AppendInt(out, 10, static_cast<uint64_t>(duration_ns_));
  AppendInt(out, 12, static_cast<uint64_t>(period_));
  for (uint64_t comment : comments_) AppendInt(out, 13, comment);
  AppendInt(out, 14, default_type_);
  return out;
}

}  // namespace gauntlet::profile
