// StoreAPI's contract over blocks in a bucket: a block for each two hours, read as local files are, as distant objects
// are, and with every length guessed wrong.

#include "storeapi/testing/contract.h"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "base/executor.h"
#include "io/file_system.h"
#include "objstore/filesystem_bucket.h"
#include "store/bucket_store.h"
#include "store/index_header_file.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::store {
namespace {

namespace fs = std::filesystem;
using storeapi::ContractData;
using storeapi::ContractParam;
using storeapi::StoreContract;

constexpr int64_t kBlockMs = 2 * storeapi::kHourMs;

ReadHabits WrongGuesses() {
  ReadHabits habits;
  habits.gap_max = 0;
  habits.series_entry_estimate = 12;
  habits.chunk_estimate = 7;
  habits.fetch_bytes = 64;
  habits.concurrency = 4;
  return habits;
}

class BucketSubject : public storeapi::ContractSubject {
 public:
  explicit BucketSubject(ReadHabits habits, LazyPostingsOptions lazy = {}) {
    static int number = 0;
    root_ =
        fs::temp_directory_path() / ("gauntlet-contract-" + std::to_string(getpid()) + "-" + std::to_string(++number));
    bucket_ = std::make_unique<objstore::FilesystemBucket>(io::RealFileSystem(), (root_ / "bucket").string());
    environment_.bucket = bucket_.get();
    environment_.executor = &pool_;
    environment_.habits = habits;
    environment_.lazy = lazy;
  }
  bool is_bucket() override { return true; }
  ~BucketSubject() override { fs::remove_all(root_); }

  Result<storeapi::Store*> Open(const ContractData& data) override {
    std::map<int64_t, std::map<Labels, Samples>> by_block;
    for (const auto& series : data.series) {
      for (auto [t, v] : series.samples) {
        Samples& samples = by_block[t / kBlockMs][series.labels];
        samples.times_ms.push_back(t);
        samples.values.push_back(v);
      }
    }
    std::vector<BucketBlockPtr> blocks;
    for (const auto& [number, series] : by_block) {
      GN_ASSIGN(BlockFacts facts, Write(number * kBlockMs, series));
      facts.external = data.external;
      auto header = std::make_shared<IndexHeaderFile>(*bucket_, io::RealFileSystem(), (root_ / "data").string(),
                                                      facts.ulid, 0, metrics_);
      blocks.push_back(std::make_shared<BucketBlock>(std::move(facts), std::move(header), environment_));
    }
    store_ = std::make_unique<BucketStore>(BucketStoreOptions(), pool_, nullptr);
    store_->Serve(std::make_shared<ServedBlocks>(std::move(blocks)));
    return store_.get();
  }

 private:
  Result<BlockFacts> Write(int64_t begin_ms, const std::map<Labels, Samples>& series) {
    tsdb::BlockMeta meta;
    meta.ulid = Ulid::Make(begin_ms);
    meta.mint_ms = begin_ms;
    meta.maxt_ms = begin_ms + kBlockMs;
    GN_ASSIGN(auto writer, tsdb::BlockWriter::Create(io::RealFileSystem(), (root_ / "bucket").string(), meta));
    std::set<std::string> symbols;
    for (const auto& [labels, samples] : series) {
      for (const Label& label : labels) symbols.insert({std::string(label.name), std::string(label.value)});
    }
    for (const std::string& symbol : symbols) GN_TRY(writer->AddSymbol(symbol));
    for (const auto& [labels, samples] : series) {
      std::vector<tsdb::EncodedChunk> encoded;
      tsdb::EncodeSamples(samples, 120, &encoded);
      std::vector<tsdb::BlockChunk> chunks;
      for (const auto& c : encoded) chunks.push_back({c.mint_ms, c.maxt_ms, {c.encoding, c.bytes}});
      GN_TRY(writer->AddSeries(labels, chunks));
    }
    GN_TRY(writer->Finish());
    BlockFacts facts;
    facts.ulid = meta.ulid;
    facts.mint_ms = meta.mint_ms;
    facts.maxt_ms = meta.maxt_ms;
    return facts;
  }

  fs::path root_;
  ThreadPool pool_{"store", 16};
  telemetry::Registry registry_;
  IndexHeaderMetrics metrics_{registry_};
  std::unique_ptr<objstore::Bucket> bucket_;
  BlockEnvironment environment_;
  std::unique_ptr<BucketStore> store_;
};

INSTANTIATE_TEST_SUITE_P(
    Bucket, StoreContract,
    ::testing::Values(ContractParam{"LocalFiles", [] { return std::make_unique<BucketSubject>(LocalHabits()); }},
                      ContractParam{"DistantObjects", [] { return std::make_unique<BucketSubject>(ReadHabits()); }},
                      ContractParam{"WrongGuesses", [] { return std::make_unique<BucketSubject>(WrongGuesses()); }},
                      ContractParam{"PostponedPostings",
                                    [] {
                                      // Entries that cost nothing: every list that can wait does.
                                      return std::make_unique<BucketSubject>(LocalHabits(),
                                                                             LazyPostingsOptions{true, 1, 0.5, 0});
                                    }}),
    storeapi::ContractName);

}  // namespace
}  // namespace gauntlet::store
