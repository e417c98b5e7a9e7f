// DamageTest: groups of blocks in a bucket, ways to damage them, and a compactor over it. Test code only.

#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compactor/repair.h"
#include "compactor/testing/bucket_fixture.h"
#include "tsdb/index/index_reader.h"

namespace gauntlet::compactor {

inline const LabelMap kEu = {{"cluster", "eu"}}, kUs = {{"cluster", "us"}};

class DamageTest : public testing::Test {
 protected:
  // Five blocks of 2h: four make 8h, the fifth lets them. Several chunks a series.
  std::vector<Ulid> PutGroup(const LabelMap& external, int blocks = 5) {
    std::vector<Ulid> ids;
    for (int i = 0; i < blocks; ++i) {
      BlockSpec spec;
      spec.external = external;
      spec.series = {{{"__name__", "up"}, {"job", "a"}}, {{"__name__", "up"}, {"job", "b"}}};
      spec.mint = kTestStart + 2 * i * kHour;
      spec.maxt = spec.mint + 2 * kHour;
      spec.samples = 700;
      ids.push_back(f_.Put(spec));
    }
    return ids;
  }
  std::string Object(const std::string& name) {
    auto objects = f_.bucket().objects();
    auto found = objects.find(name);
    return found == objects.end() ? "" : found->second;
  }
  void Replace(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(f_.bucket().Delete(name, Cancel()).ok());
    ASSERT_TRUE(objstore::WriteObject(f_.bucket(), name, bytes, Cancel()).ok());
  }
  void Flip(const std::string& name, size_t at) {
    std::string bytes = Object(name);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    Replace(name, bytes);
  }
  // The second and third chunk of the first series change places in the index.
  void Unorder(const Ulid& id) {
    const std::string name = id.ToString() + "/index", path = io::JoinPath(f_.dir(), "index");
    std::string bytes = Object(name);
    ASSERT_TRUE(f_.files().WriteAtomically(path, bytes).ok());
    auto index = tsdb::IndexReader::Open(f_.files(), path);
    ASSERT_TRUE(index.ok());
    auto all = (*index)->AllPostings();
    ASSERT_TRUE(all.ok());
    tsdb::SeriesDecoder decoder((*index)->symbols());
    tsdb::SeriesEntry entry;
    ASSERT_TRUE(decoder.Decode((*index)->SeriesBytes((*all)[0]), &entry).ok());
    ASSERT_GE(entry.chunks.size(), 5u);
    std::vector<uint32_t> symbols;
    std::map<std::string, uint32_t> numbers;
    tsdb::SymbolTable::Cursor cursor((*index)->symbols());
    uint32_t n = 0;
    for (std::string_view symbol; cursor.Next(&symbol);) numbers[std::string(symbol)] = n++;
    for (auto [label, value] : entry.labels()) {
      symbols.push_back(numbers.at(std::string(label)));
      symbols.push_back(numbers.at(std::string(value)));
    }
    const size_t from = uint64_t{(*all)[0]} * 16;
    const size_t room = (uint64_t{(*all)[1]} - (*all)[0]) * 16;
    std::swap(entry.chunks[1], entry.chunks[2]);
    // One that goes back takes more room: chunks at the end give way.
    std::string made;
    while (entry.chunks.size() > 3) {
      made.clear();
      tsdb::AppendSeriesEntry(symbols, entry.chunks, &made);
      if (made.size() <= room) break;
      entry.chunks.pop_back();
    }
    ASSERT_LE(made.size(), room);
    made.resize(room, '\0');
    bytes.replace(from, room, made);
    Replace(name, bytes);
  }
  Status Iterate(const NodeOptions& options) {
    registry_ = std::make_unique<telemetry::Registry>();
    node_.reset();
    node_ = f_.MakeNode(options, *registry_);
    return node_ == nullptr ? Status(Code::kInternal, "no node") : node_->compactor().Iterate(Cancel());
  }
  double Sum(const std::string& name) { return MetricSum(*registry_, name); }
  // One mark, of the block.
  QuarantineMark OnlyMark() {
    auto marks = node_->quarantine().marks();
    EXPECT_EQ(marks.size(), 1u);
    return marks.empty() ? QuarantineMark() : marks.begin()->second;
  }
  Result<std::string> Repair(RepairAction action, const std::vector<Ulid>& ids, std::optional<Ulid> keep = {}) {
    GN_ASSIGN(blocks::Catalog catalog, node_->catalog().Sync(Cancel()));
    Repairer repairer(catalog.metas, node_->merges(), node_->quarantine());
    return repairer.Run({action, ids, keep, ""}, Cancel());
  }

  BucketFixture f_;
  std::unique_ptr<telemetry::Registry> registry_;
  std::unique_ptr<Node> node_;
};

}  // namespace gauntlet::compactor
