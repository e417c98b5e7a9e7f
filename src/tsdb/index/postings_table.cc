// One pass over the table checks every entry, so that cursors need not: they only step over what parsed before.
#include "tsdb/index/postings_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/varint.h"
#include "tsdb/index/toc.h"

namespace gauntlet::tsdb {
namespace {

// A varint that has been parsed before.
inline uint64_t KnownUvarint(const char*& p) {
  auto byte = static_cast<uint8_t>(*p++);
  uint64_t value = byte & 0x7f;
  for (int shift = 7; byte >= 0x80; shift += 7) {
    byte = static_cast<uint8_t>(*p++);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
  }
  return value;
}

}  // namespace

Result<PostingsTable> PostingsTable::Parse(std::string_view content, int index_version, uint64_t lists_end) {
  PostingsTable table;
  table.content_ = content;
  table.lists_end_ = lists_end;
  if (!ByteReader(content).Be32(&table.entries_)) return Status(Code::kCorrupt, "postings table: no count");
  if (index_version == 1) GN_TRY(table.TakeUnsorted());
  GN_TRY(table.Index());
  return table;
}

const char* PostingsTable::ParseEntry(const char* p, const char* end, Entry* entry) {
  ByteReader in({p, static_cast<size_t>(end - p)});
  uint64_t keys = 0;
  if (!in.Uvarint(&keys) || keys != 2 || !in.Prefixed(&entry->name) || !in.Prefixed(&entry->value) ||
      !in.Uvarint(&entry->offset)) {
    return nullptr;
  }
  return in.position();
}

Status PostingsTable::TakeUnsorted() {
  std::vector<Entry> entries;
  const char* p = begin();
  for (uint32_t i = 0; i < entries_; ++i) {
    Entry& entry = entries.emplace_back();
    p = ParseEntry(p, end(), &entry);
    if (p == nullptr) return Status(Code::kCorrupt, fmt::format("postings table: entry {} does not parse", i));
    offsets_.push_back(entry.offset);
  }
  std::sort(offsets_.begin(), offsets_.end());
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.name, a.value) < std::pair(b.name, b.value); });
  auto sorted = std::make_shared<std::string>();
  AppendBe32(sorted.get(), entries_);
  for (const Entry& entry : entries) {
    AppendUvarint(*sorted, 2);
    for (std::string_view s : {entry.name, entry.value}) {
      AppendUvarint(*sorted, s.size());
      sorted->append(s);
    }
    AppendUvarint(*sorted, entry.offset);
  }
  content_ = *sorted;
  owned_ = std::move(sorted);
  return Status();
}

Status PostingsTable::Index() {
  const char* p = begin();
  std::string_view last_name, last_value;
  bool all_found = false;
  for (uint32_t i = 0; i < entries_; ++i) {
    Entry entry;
    const char* next = ParseEntry(p, end(), &entry);
    if (next == nullptr) return Status(Code::kCorrupt, fmt::format("postings table: entry {} does not parse", i));
    if (entry.name.empty()) {
      // The list of all series stands first.
      if (i != 0 || !entry.value.empty()) return Status(Code::kCorrupt, "postings table: an entry without a name");
      all_ = {entry.offset, entry.offset};
      all_found = true;
      p = next;
      continue;
    }
    auto prefix = static_cast<uint32_t>(entry.name.data() + entry.name.size() - p);
    if (names_.empty() || entry.name != last_name) {
      if (!names_.empty() && entry.name < last_name) {
        return Status(Code::kCorrupt, fmt::format("postings table: name {} is out of order", i));
      }
      names_.push_back({entry.name, 0});
      places_.push_back({static_cast<uint32_t>(samples_.size()), prefix});
    } else if (entry.value <= last_value || places_.back().prefix_bytes != prefix) {
      return Status(Code::kCorrupt, fmt::format("postings table: value {} is out of order", i));
    }
    if (names_.back().values++ % kEvery == 0) samples_.push_back(static_cast<uint32_t>(p - content_.data()));
    last_name = entry.name;
    last_value = entry.value;
    p = next;
  }
  content_ = content_.substr(0, static_cast<size_t>(p - content_.data()));
  if (!all_found) return Status(Code::kCorrupt, "postings table: no list of all series");
  Entry first;
  all_.end = ListEnd(ParseEntry(begin(), end(), &first), all_.begin);
  samples_.shrink_to_fit();
  return Status();
}

inline const char* PostingsTable::Value(size_t name, const char* p, std::string_view* value, uint64_t* offset) const {
  p += places_[name].prefix_bytes;
  uint64_t bytes = KnownUvarint(p);
  *value = {p, bytes};
  p += bytes;
  *offset = KnownUvarint(p);
  return p;
}

uint64_t PostingsTable::ListEnd(const char* next_entry, uint64_t begin) const {
  if (!offsets_.empty()) {
    auto next = std::upper_bound(offsets_.begin(), offsets_.end(), begin);
    return next == offsets_.end() ? lists_end_ : *next;
  }
  Entry entry;
  if (next_entry == end() || ParseEntry(next_entry, end(), &entry) == nullptr) return lists_end_;
  return entry.offset;
}

size_t PostingsTable::FindName(std::string_view name) const {
  auto at = std::lower_bound(names_.begin(), names_.end(), name,
                             [](const Name& a, std::string_view b) { return a.name < b; });
  return at != names_.end() && at->name == name ? static_cast<size_t>(at - names_.begin()) : names_.size();
}

bool PostingsTable::Find(std::string_view name, std::string_view value, PostingsRange* range) const {
  Values values = ValuesOf(name);
  if (!values.Seek(value) || values.value() != value) return false;
  *range = values.range();
  return true;
}

uint32_t PostingsTable::value_count(std::string_view name) const {
  size_t at = FindName(name);
  return at == names_.size() ? 0 : names_[at].values;
}

size_t PostingsTable::memory_bytes() const {
  return sizeof(*this) + names_.capacity() * sizeof(Name) + places_.capacity() * sizeof(Place) +
         samples_.capacity() * sizeof(uint32_t) + offsets_.capacity() * sizeof(uint64_t) +
         (owned_ != nullptr ? owned_->capacity() : 0);
}

PostingsTable::Values PostingsTable::ValuesOf(std::string_view name) const { return Values(this, FindName(name)); }

PostingsTable::Values::Values(const PostingsTable* table, size_t name)
    : table_(table), name_(name), count_(name == table->names_.size() ? 0 : table->names_[name].values) {
  if (count_ > 0) GoTo(0);
}

void PostingsTable::Values::GoTo(size_t index) {
  next_ = static_cast<uint32_t>(index) * kEvery;
  p_ = table_->content_.data() + table_->samples_[table_->places_[name_].first_sample + index];
}

bool PostingsTable::Values::Next() {
  at_value_ = next_ < count_;
  if (!at_value_) return false;
  p_ = table_->Value(name_, p_, &value_, &range_.begin);
  ++next_;
  if (next_ < count_ && table_->offsets_.empty()) {
    std::string_view ignored;
    table_->Value(name_, p_, &ignored, &range_.end);
  } else {
    range_.end = table_->ListEnd(p_, range_.begin);
  }
  return true;
}

bool PostingsTable::Values::Seek(std::string_view target) {
  if (at_value_ && value_ >= target) return true;
  // The last sample at or before the target, if that is ahead.
  size_t low = next_ / kEvery, high = (count_ + kEvery - 1) / kEvery;
  size_t found = low;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    std::string_view value;
    uint64_t offset = 0;
    const char* p = table_->content_.data() + table_->samples_[table_->places_[name_].first_sample + middle];
    table_->Value(name_, p, &value, &offset);
    if (value <= target) {
      found = middle;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (found * kEvery > next_) GoTo(found);
  while (Next()) {
    if (value_ >= target) return true;
  }
  return false;
}

}  // namespace gauntlet::tsdb
