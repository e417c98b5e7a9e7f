// The recorded queries of a real Prometheus (golden/README.md, promql/): every answer as its HTTP API gave it.
//
// Known differences are listed, what we cannot do is counted; PRINT_FAILURES=1 prints them.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "api/envelope.h"
#include "api/memory_reply.h"
#include "api/query_handlers.h"
#include "api/result_json.h"
#include "api/testing/golden_block.h"
#include "json/reader.h"
#include "promql/engine/engine.h"
#include "promql/engine/features.h"
#include "storage/memory_storage.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::api {
namespace {

// JSON with members in the order of their keys.
std::string Canonical(json::Value value) {
  if (auto s = value.String()) return fmt::format("\"{}\"", *s);
  if (auto d = value.Double()) return fmt::format("{}", *d);
  if (value.is_array()) {
    std::string text = "[";
    for (size_t i = 0; i < value.size(); ++i) text += (i > 0 ? "," : "") + Canonical(value[i]);
    return text + "]";
  }
  if (value.is_object()) {
    std::map<std::string_view, std::string> members;
    for (size_t i = 0; i < value.size(); ++i) members[value.key(i)] = Canonical(value[i]);
    std::string text = "{";
    for (const auto& [key, member] : members) text += fmt::format("{}{}:{}", text.size() > 1 ? "," : "", key, member);
    return text + "}";
  }
  return std::string(json::TypeName(value.type()));
}

std::vector<std::string> Elements(json::Value array) {
  std::vector<std::string> out;
  for (size_t i = 0; i < array.size(); ++i) out.push_back(Canonical(array[i]));
  return out;
}

std::multiset<std::string> Set(const std::vector<std::string>& list) { return {list.begin(), list.end()}; }

// What one has and the other has not, shortened.
std::string Difference(const std::vector<std::string>& want, const std::vector<std::string>& got) {
  std::string text;
  auto add = [&](char sign, const auto& list, const auto& other) {
    int n = 0;
    for (const auto& item : list) {
      if (other.count(item) == 0 && ++n <= 2) text += fmt::format("\n    {} {}", sign, item.substr(0, 600));
    }
  };
  add('-', Set(want), Set(got));
  add('+', Set(got), Set(want));
  return text.empty() ? "\n    other order" : text;
}

bool KeepsOrder(std::string_view kind, std::string_view query) {
  if (kind != "instant") return false;
  return query.starts_with("sort") || query.starts_with("topk") || query.starts_with("bottomk");
}

// Beyond ten messages, which ones are shown depends on chance.
bool SameMessages(const std::vector<std::string>& want, const std::vector<std::string>& got) {
  for (const std::string& message : want) {
    if (message.find("more ") != std::string::npos && message.find("annotations omitted") != std::string::npos) {
      return want.size() == got.size() && Set(got).count(message) == 1;
    }
  }
  return Set(want) == Set(got);
}

int64_t Milliseconds(json::Value seconds) { return static_cast<int64_t>(std::llround(*seconds.Double() * 1000)); }

class GoldenQueries : public testing::Test {
 protected:
  struct Answer {
    int http = 200;
    std::string body;
    Code code = Code::kOk;
  };

  Answer Ask(json::Value asked) {
    const std::string query(*asked.Get("query").String());
    const bool range = asked.Get("kind").String() == "range";
    MemoryReply reply;
    auto made = range ? engine_->NewRangeQuery(storage_, {}, query, Milliseconds(asked.Get("start")),
                                               Milliseconds(asked.Get("end")), Milliseconds(asked.Get("step")))
                      : engine_->NewInstantQuery(storage_, {}, query, Milliseconds(asked.Get("time")));
    Answer answer;
    if (!made.ok()) {
      answer.http = 400;
      ReplyBadParameter(reply, "query", made.status());
    } else if (promql::QueryResult result = (*made)->Exec(Cancel()); !result.status.ok()) {
      answer.http = HttpStatusOf(EvaluationErrorType(result.status));
      answer.code = result.status.code();
      ReplyError(reply, EvaluationErrorType(result.status), result.status.message());
    } else {
      ReplyData(reply, result.annotations, [&](JsonReply& json) {
        json.writer().BeginObject();
        WriteResult(json, result, 0);
        json.writer().EndObject();
      });
    }
    answer.body = reply.body();
    return answer;
  }

  // Parameters that the handler refuses before there is a query.
  static bool OfHandler(json::Value asked) {
    if (asked.Get("kind").String() != "range") return false;
    const int64_t start = Milliseconds(asked.Get("start")), end = Milliseconds(asked.Get("end"));
    const int64_t step = Milliseconds(asked.Get("step"));
    return end < start || step <= 0 || (end - start) / step > 11'000;
  }

  // Nothing when the answer is as recorded.
  static std::string Judge(json::Value asked, const Answer& answer) {
    auto document = json::Document::Parse(answer.body);
    if (!document.ok()) return "no JSON: " + answer.body;
    json::Value got = document->root(), data = got.Get("data");
    if (Milliseconds(asked.Get("http")) != answer.http * 1000) {
      return fmt::format("http {} instead of {}: {}", answer.http, *asked.Get("http").Int(),
                         answer.body.substr(0, 300));
    }
    if (asked.Get("errorType").String() != got.Get("errorType").String()) return "errorType: " + answer.body;
    if (asked.Get("resultType").String() != data.Get("resultType").String()) return "resultType";
    for (const char* kind : {"warnings", "infos"}) {
      auto want = Elements(asked.Get(kind)), have = Elements(got.Get(kind));
      if (!SameMessages(want, have)) return kind + Difference(want, have);
    }
    auto want = Elements(asked.Get("result")), have = Elements(data.Get("result"));
    bool same =
        KeepsOrder(*asked.Get("kind").String(), *asked.Get("query").String()) ? want == have : Set(want) == Set(have);
    return same ? "" : "result" + Difference(want, have);
  }

  void Run(const std::string& file, std::initializer_list<const char*> blocks, promql::EngineOptions options,
           const std::set<int64_t>& known, int unsupported_max) {
    for (const char* block : blocks) {
      if (!LoadBlock(block, [this](Labels*) { return &storage_; }))
        GTEST_SKIP() << "no golden data beside the repository";
    }
    options.experimental_functions = options.extended_range_selectors = options.binop_fill_modifiers = true;
    engine_ = std::make_unique<promql::Engine>(options, executor_, nullptr, SystemClock());
    int same = 0, unsupported = 0;
    for (const std::string& line : tsdb::GoldenLines("promql/" + file)) {
      auto document = json::Document::Parse(line);
      ASSERT_TRUE(document.ok());
      json::Value asked = document->root();
      if (OfHandler(asked)) continue;
      Answer answer = Ask(asked);
      std::string difference = Judge(asked, answer);
      if (difference.empty()) {
        ++same;
        continue;
      }
      std::string text = fmt::format("{} {} {} {}: {}", file, *asked.Get("n").Int(), *asked.Get("kind").String(),
                                     *asked.Get("query").String(), difference);
      if (std::getenv("PRINT_FAILURES") != nullptr) fmt::print("{}\n", text);
      if (answer.code == Code::kUnsupported) {
        ++unsupported;
      } else if (!known.contains(*asked.Get("n").Int())) {
        ADD_FAILURE() << text;
      }
    }
    fmt::print("{}: {} as recorded, {} not yet supported\n", file, same, unsupported);
    EXPECT_LE(unsupported, unsupported_max);
  }

  storage::MemoryStorage storage_;
  ThreadPool executor_{"query", 2};
  std::unique_ptr<promql::Engine> engine_;
};

TEST_F(GoldenQueries, NamesDroppedAtOnce) { Run("queries.jsonl.gz", {"float-2h", "hist-2h", "many-2h"}, {}, {}, 0); }

TEST_F(GoldenQueries, NamesDroppedAtTheEnd) {
  promql::EngineOptions options;
  options.delayed_name_removal = true;
  Run("queries-delayed-name-removal.jsonl.gz", {"float-2h", "hist-2h", "many-2h"}, options, {}, 0);
}

TEST_F(GoldenQueries, StartTimestamps) {
  promql::EngineOptions options;
  options.use_start_timestamps = true;
  Run("queries-start-timestamps.jsonl.gz", {"st-xor2-2h"}, options, {}, 0);
}

TEST_F(GoldenQueries, StartTimestampsOff) {
  Run("queries-start-timestamps-flag-off.jsonl.gz", {"st-xor2-2h"}, {}, {}, 0);
}

}  // namespace
}  // namespace gauntlet::api
