// The postings lists are made from the series section, read again through a mapping: for as many names at once as have
// no more postings than there are series (or a million), so that memory stays bounded.
#include "tsdb/index/index_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/hash.h"
#include "base/varint.h"
#include "io/crc32c.h"

namespace gauntlet::tsdb {
namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr uint64_t kIndexBytesMax = uint64_t{16} * std::numeric_limits<uint32_t>::max();
constexpr uint64_t kPostingsAtOnce = 1 << 20;

// Walks the entries of a series section. The bytes are our own.
class SeriesWalk {
 public:
  explicit SeriesWalk(std::string_view index, const IndexToc& toc)
      : index_(index.substr(0, toc.label_indices)), at_(toc.series) {}

  bool Next() {
    at_ = (next_ == 0 ? at_ : next_) + kSeriesAlignment - 1;
    at_ -= at_ % kSeriesAlignment;
    if (at_ >= index_.size()) return false;
    uint64_t bytes = SeriesEntryBytes(index_.substr(at_));
    next_ = at_ + bytes;
    return bytes != 0 && next_ <= index_.size();
  }
  uint32_t id() const { return static_cast<uint32_t>(at_ / kSeriesAlignment); }
  template <typename Body>
  void EachLabel(const Body& body) const {
    ByteReader in(index_.substr(at_));
    uint64_t ignored = 0, count = 0, name = 0, value = 0;
    in.Uvarint(&ignored);
    in.Uvarint(&count);
    for (; count > 0 && in.Uvarint(&name) && in.Uvarint(&value); --count) {
      body(static_cast<uint32_t>(name), static_cast<uint32_t>(value));
    }
  }

 private:
  std::string_view index_;
  uint64_t at_, next_ = 0;
};

}  // namespace

SymbolNumbers::SymbolNumbers() : slots_(1024) {}

std::string_view SymbolNumbers::operator[](uint32_t number) const {
  ByteReader in(std::string_view(bytes_).substr(starts_[number]));
  std::string_view symbol;
  in.Prefixed(&symbol);
  return symbol;
}

Status SymbolNumbers::Add(std::string_view symbol) {
  if (size() > 0 && symbol <= (*this)[size() - 1]) {
    return Status(Code::kInvalid, fmt::format("symbol {} out-of-order", GoQuote(symbol)));
  }
  if (bytes_.size() + symbol.size() + 14 > std::numeric_limits<uint32_t>::max()) {
    return Status(Code::kExhausted, "symbol table size exceeds 4 GiB");
  }
  if ((size() + 1) * 2 > slots_.size()) Rehash();
  starts_.push_back(static_cast<uint32_t>(bytes_.size()));
  AppendUvarint(bytes_, symbol.size());
  bytes_.append(symbol);
  size_t mask = slots_.size() - 1, slot = XxHash64(symbol) & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = size();
  return Status();
}

bool SymbolNumbers::Find(std::string_view symbol, uint32_t* number) const {
  size_t mask = slots_.size() - 1;
  for (size_t slot = XxHash64(symbol) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    *number = slots_[slot] - 1;
    if ((*this)[*number] == symbol) return true;
  }
  return false;
}

void SymbolNumbers::Rehash() {
  slots_.assign(slots_.size() * 2, 0);
  size_t mask = slots_.size() - 1;
  for (uint32_t number = 0; number < size(); ++number) {
    size_t slot = XxHash64((*this)[number]) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = number + 1;
  }
}

Result<std::unique_ptr<IndexWriter>> IndexWriter::Create(io::FileSystem& files, std::string path) {
  std::unique_ptr<IndexWriter> writer(new IndexWriter(files, std::move(path)));
  GN_ASSIGN(writer->file_, files.Create(writer->path_));
  AppendBe32(&writer->buffer_, kIndexMagic);
  writer->buffer_.push_back(2);
  GN_TRY(writer->Appended(0));
  writer->toc_.symbols = writer->offset_;
  return writer;
}

Status IndexWriter::AddSymbol(std::string_view symbol) {
  if (symbols_written_) return Status(Code::kInvalid, "symbol added behind the series");
  return symbols_.Add(symbol);
}

Status IndexWriter::WriteSymbols() {
  if (symbols_written_) return Status();
  symbols_written_ = true;
  size_t from = buffer_.size();
  AppendBe32(&buffer_, static_cast<uint32_t>(symbols_.bytes().size() + 4));
  AppendBe32(&buffer_, symbols_.size());
  uint32_t checksum = io::Crc32c(std::string_view(buffer_).substr(from + 4));
  buffer_.append(symbols_.bytes());
  AppendBe32(&buffer_, io::ExtendCrc32c(checksum, symbols_.bytes()));
  GN_TRY(Appended(from));
  toc_.series = offset_;
  return Status();
}

Status IndexWriter::AddSeries(LabelsView labels, std::span<const ChunkMeta> chunks) {
  refs_.clear();
  for (const Label& label : labels) {
    uint32_t name = 0, value = 0;
    if (!symbols_.Find(label.name, &name) || !symbols_.Find(label.value, &value)) {
      return Status(Code::kInvalid,
                    fmt::format("symbol entry for {}={} does not exist", GoQuote(label.name), GoQuote(label.value)));
    }
    refs_.push_back(name);
    refs_.push_back(value);
  }
  return AddSeries(std::span<const uint32_t>(refs_), chunks);
}

Status IndexWriter::AddSeries(std::span<const uint32_t> labels, std::span<const ChunkMeta> chunks) {
  GN_TRY(WriteSymbols());
  GN_TRY(CheckOrder(labels, chunks));
  for (size_t i = 0; i < labels.size(); i += 2) ++name_uses_[labels[i]];
  GN_TRY(Pad(kSeriesAlignment));
  size_t from = buffer_.size();
  AppendSeriesEntry(labels, chunks, &buffer_);
  last_refs_.assign(labels.begin(), labels.end());
  ++series_;
  return Appended(from);
}

Status IndexWriter::CheckOrder(std::span<const uint32_t> labels, std::span<const ChunkMeta> chunks) {
  for (uint32_t number : labels) {
    if (number >= symbols_.size()) return Status(Code::kInvalid, fmt::format("symbol {} does not exist", number));
  }
  // Symbols are sorted, so their numbers compare as they do. One series, the first, may have no labels.
  if ((series_ > 0 || labels.empty()) && !std::ranges::lexicographical_compare(last_refs_, labels)) {
    return Status(Code::kInvalid, fmt::format("out-of-order series added with label set {}, last label set {}",
                                              LabelText(labels), LabelText(last_refs_)));
  }
  for (size_t i = 0; i < chunks.size(); ++i) {
    const ChunkMeta& chunk = chunks[i];
    if (chunk.ref < last_chunk_ref_) {
      return Status(Code::kInvalid,
                    fmt::format("unsorted chunk reference: {}, previous: {}", chunk.ref, last_chunk_ref_));
    }
    last_chunk_ref_ = chunk.ref;
    if (chunk.maxt_ms < chunk.mint_ms || (i > 0 && chunk.mint_ms <= chunks[i - 1].maxt_ms)) {
      return Status(Code::kInvalid, fmt::format("chunk from {} to {} is out of order", chunk.mint_ms, chunk.maxt_ms));
    }
  }
  return Status();
}

std::string IndexWriter::LabelText(std::span<const uint32_t> labels) const {
  std::string packed;
  for (size_t i = 0; i + 1 < labels.size(); i += 2) PackLabel(packed, symbols_[labels[i]], symbols_[labels[i + 1]]);
  return LabelsView(packed).ToString();
}

size_t IndexWriter::memory_bytes() const { return symbols_.memory_bytes() + buffer_.capacity(); }

size_t IndexWriter::finish_memory_bytes() const {
  uint64_t pairs = 0;  // label pairs of the series: as many lists there are at most, and no more than symbols by name
  for (const auto& [name, uses] : name_uses_) pairs += std::min<uint64_t>(uses, symbols_.size());
  return sizeof(Posting) * 2 * std::max(series_, std::min(pairs, kPostingsAtOnce)) + sizeof(ListPlace) * pairs;
}

Status IndexWriter::Finish() {
  GN_TRY(WriteSymbols());
  toc_.label_indices = offset_;
  GN_TRY(WritePostings());
  toc_.label_index_table = toc_.postings_table = offset_;
  GN_TRY(WriteTable());
  size_t from = buffer_.size();
  AppendIndexToc(toc_, &buffer_);
  GN_TRY(Appended(from));
  GN_TRY(Flush());
  GN_TRY(file_->Sync());
  file_.reset();
  return Status();
}

Status IndexWriter::WritePostings() {
  GN_TRY(Flush());
  GN_ASSIGN(std::unique_ptr<io::MappedFile> written, files_.Map(path_));
  toc_.postings = offset_;  // upstream pads behind it
  std::vector<Posting> all;
  all.reserve(series_);
  for (SeriesWalk walk(written->bytes(), toc_); walk.Next();) all.push_back({0, walk.id()});
  if (all.size() != series_) return Status(Code::kCorrupt, fmt::format("read back {}", path_));
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  GN_TRY(WriteList({kNone, kNone, 0}, all));
  all = std::vector<Posting>();
  for (auto name = name_uses_.begin(); name != name_uses_.end();) {
    // The names of this pass, by their numbers.
    std::map<uint32_t, std::vector<Posting>> pass;
    for (uint64_t sum = 0; name != name_uses_.end(); ++name) {
      sum += name->second;
      if (sum > std::max(series_, kPostingsAtOnce) && !pass.empty()) break;
      pass[name->first].reserve(name->second);
    }
    uint32_t first = pass.begin()->first;
    std::vector<std::vector<Posting>*> wanted(pass.rbegin()->first - first + 1);
    for (auto& [number, postings] : pass) wanted[number - first] = &postings;
    for (SeriesWalk walk(written->bytes(), toc_); walk.Next();) {
      walk.EachLabel([&](uint32_t label, uint32_t value) {
        if (label - first < wanted.size() && wanted[label - first] != nullptr) {
          wanted[label - first]->push_back({value, walk.id()});
        }
      });
    }
    for (auto& [number, postings] : pass) GN_TRY(WriteLists(number, postings));
  }
  return Status();
}

Status IndexWriter::WriteLists(uint32_t name, std::vector<Posting>& postings) {
  // By value; the ids of each stay in order.
  std::stable_sort(postings.begin(), postings.end(),
                   [](const Posting& a, const Posting& b) { return a.value < b.value; });
  for (size_t begin = 0; begin < postings.size();) {
    size_t end = begin;
    while (end < postings.size() && postings[end].value == postings[begin].value) ++end;
    GN_TRY(WriteList({name, postings[begin].value, 0}, std::span(postings).subspan(begin, end - begin)));
    begin = end;
  }
  postings = std::vector<Posting>();
  return Status();
}

Status IndexWriter::WriteList(ListPlace place, std::span<const Posting> postings) {
  GN_TRY(Pad(4));
  place.offset = offset_;
  lists_.push_back(place);
  if (postings.size() >= (size_t{1} << 30) - 1) return Status(Code::kExhausted, "posting size exceeds 4 bytes");
  size_t from = buffer_.size();
  AppendBe32(&buffer_, static_cast<uint32_t>(postings.size() * 4 + 4));
  AppendBe32(&buffer_, static_cast<uint32_t>(postings.size()));
  for (const Posting& posting : postings) AppendBe32(&buffer_, posting.id);
  AppendBe32(&buffer_, io::Crc32c(std::string_view(buffer_).substr(from + 4)));
  return Appended(from);
}

Status IndexWriter::WriteTable() {
  auto strings = [this](const ListPlace& list) {
    bool all = list.name == std::numeric_limits<uint32_t>::max();
    return all ? std::pair<std::string_view, std::string_view>() : std::pair(symbols_[list.name], symbols_[list.value]);
  };
  uint64_t bytes = 4;
  for (const ListPlace& list : lists_) {
    auto [name, value] = strings(list);
    bytes += 1 + UvarintSize(name.size()) + name.size() + UvarintSize(value.size()) + value.size() +
             UvarintSize(list.offset);
  }
  if (bytes > std::numeric_limits<uint32_t>::max()) {
    return Status(Code::kExhausted, fmt::format("postings offset table size exceeds 4 bytes: {}", bytes));
  }
  size_t from = buffer_.size();
  AppendBe32(&buffer_, static_cast<uint32_t>(bytes));
  uint32_t checksum = 0;
  size_t checked = buffer_.size();
  AppendBe32(&buffer_, static_cast<uint32_t>(lists_.size()));
  for (const ListPlace& list : lists_) {
    auto [name, value] = strings(list);
    AppendUvarint(buffer_, 2);
    AppendUvarint(buffer_, name.size());
    buffer_.append(name);
    AppendUvarint(buffer_, value.size());
    buffer_.append(value);
    AppendUvarint(buffer_, list.offset);
    if (buffer_.size() < kBufferBytes) continue;
    checksum = io::ExtendCrc32c(checksum, std::string_view(buffer_).substr(checked));
    GN_TRY(Appended(from));
    from = checked = buffer_.size();
  }
  checksum = io::ExtendCrc32c(checksum, std::string_view(buffer_).substr(checked));
  AppendBe32(&buffer_, checksum);
  return Appended(from);
}

Status IndexWriter::Pad(uint64_t alignment) {
  size_t from = buffer_.size();
  buffer_.append((alignment - offset_ % alignment) % alignment, '\0');
  return Appended(from);
}

Status IndexWriter::Appended(size_t from) {
  offset_ += buffer_.size() - from;
  if (offset_ > kIndexBytesMax) return Status(Code::kExhausted, fmt::format("{} exceeds 64 GiB", path_));
  return buffer_.size() < kBufferBytes ? Status() : Flush();
}

Status IndexWriter::Flush() {
  GN_TRY(file_->Append(buffer_));
  buffer_.clear();
  return Status();
}

}  // namespace gauntlet::tsdb
