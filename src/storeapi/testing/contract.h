// The contract of StoreAPI as a test suite: what every Store must answer, seen as a client sees it, through gRPC.
//
// To run it over a store: list ../storeapi/testing/contract*.cc among the module's TESTS, implement ContractSubject,
// and
//   INSTANTIATE_TEST_SUITE_P(Name, StoreContract, ::testing::Values(ContractParam{"Name", [] { return ...; }}),
//                            ContractName);
//
// Upstream: thanos pkg/store/acceptance_test.go, and more.
// Threads:  one test at a time.

#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "model/labels.h"
#include "rpc/loopback_channel.h"
#include "rpc/store.h"
#include "storeapi/store.h"
#include "storeapi/store_server.h"

namespace gauntlet::storeapi {

// All samples lie in [kContractStartMs, kContractStartMs + 24 h); it is the border of a two-hour block.
inline constexpr int64_t kContractStartMs = 1'767'571'200'000;
inline constexpr int64_t kHourMs = 3'600'000;

struct ContractSeries {
  Labels labels;  // its own; every series has a __name__
  std::vector<std::pair<int64_t, double>> samples;
};

struct ContractData {
  Labels external;
  std::vector<ContractSeries> series;  // in any order
};

// One store, opened once.
class ContractSubject {
 public:
  virtual ~ContractSubject() = default;
  // Why the suite cannot run over this here, in one line; "" = it can.
  virtual std::string SkipReason() { return ""; }
  // Where servers differ by nature. A bucket without blocks has no external labels either; and it answers no matchers
  // by no series, external ones alone by all of theirs, where a Prometheus cannot be asked.
  virtual bool is_bucket() { return false; }
  // A store that has exactly these data. It lives as long as the subject.
  virtual Result<Store*> Open(const ContractData& data) = 0;
};

struct ContractParam {
  std::string name;
  std::function<std::unique_ptr<ContractSubject>()> make;
};

void PrintTo(const ContractParam& param, std::ostream* out);  // its name
inline std::string ContractName(const ::testing::TestParamInfo<ContractParam>& info) { return info.param.name; }

struct AnsweredChunk {
  int64_t mint_ms = 0, maxt_ms = 0;
  wire::Aggregate aggregate = wire::Aggregate::kRaw;
};

struct AnsweredSeries {
  Labels labels;
  std::vector<AnsweredChunk> chunks;
  std::vector<std::pair<int64_t, double>> samples;  // decoded, in the order sent
  size_t frame = 0;                                 // number of the frame it came in
};

struct ContractAnswer {
  net::GrpcStatus status;
  std::vector<AnsweredSeries> series;
  std::vector<std::string> warnings;
  size_t frames = 0;

  std::vector<std::string> label_sets() const;
};

class StoreContract : public ::testing::TestWithParam<ContractParam> {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Puts the data behind the store; ends the test when that does not work.
  void Open(ContractData data);
  ContractAnswer Series(const SeriesRequest& request);
  // The values, or "CODE: message".
  std::vector<std::string> Names(const LabelsRequest& request);
  std::vector<std::string> Values(LabelsRequest request, std::string label);

  // A request over all times.
  static SeriesRequest RequestFor(Matchers matchers);
  static LabelsRequest LabelsFor(Matchers matchers = {});
  // What the contract says of the labels of a Series answer: those that match, by their final labels, in order.
  std::vector<std::string> Expected(const SeriesRequest& request) const;

  bool is_bucket() { return subject_->is_bucket(); }

  ContractData data_;
  std::unique_ptr<rpc::LoopbackChannel> channel_;

 private:
  std::unique_ptr<ContractSubject> subject_;
  std::unique_ptr<StoreServer> server_;
  ThreadPool pool_{"contract", 16};
};

Matcher MakeMatcher(MatchType type, const char* name, const char* value);

}  // namespace gauntlet::storeapi
