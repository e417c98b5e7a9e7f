#include "json/sample_heads.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace gauntlet::json {
namespace {

TEST(SampleHeads, SamplesReadAsThoseWrittenOneByOne) {
  constexpr size_t kCount = 3000;
  SampleHeads heads;
  std::vector<uint64_t> present((kCount + 63) / 64);
  std::vector<double> values;
  std::string one_by_one, at_once;
  Writer w(&one_by_one), all(&at_once);
  w.BeginArray().Int(1).BeginArray();
  for (size_t i = 0; i < kCount; ++i) {
    const int64_t ms = 1435781451781 + static_cast<int64_t>(i) * 219;
    heads.Add(ms);
    const double rare[] = {1e300, std::nan(""), 0, -0.0, 1e-7, -HUGE_VAL, 1e20, 5};
    if (i / 64 % 3 == 1) {
      values.push_back(static_cast<double>(i) - 1000);
    } else {
      values.push_back(i % 5 == 0 ? rare[i / 5 % 8] : (static_cast<double>(i) - 1000) / 7);
    }
    if (i % 3 == 0 || i > 2990) continue;
    present[i / 64] |= uint64_t{1} << (i % 64);
    w.ApiSample(ms, values.back());
  }
  w.EndArray().Int(2).EndArray();
  all.BeginArray().Int(1);
  heads.WriteSamples(all, present, values.data());
  all.Int(2).EndArray();
  EXPECT_EQ(at_once, one_by_one);
}

TEST(SampleHeads, NoSamplesAreAnEmptyArrayAndExtremeTimesFit) {
  SampleHeads heads;
  heads.Add(INT64_MIN);
  std::string out;
  Writer w(&out);
  const uint64_t none = 0, one = 1;
  const double value = -0.5;
  w.BeginArray();
  heads.WriteSamples(w, {&none, 1}, &value);
  heads.WriteSamples(w, {&one, 1}, &value);
  w.EndArray();
  EXPECT_EQ(out, R"([[],[[-9223372036854775.808,"-0.5"]]])");
}

}  // namespace
}  // namespace gauntlet::json
