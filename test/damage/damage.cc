#include "damage/damage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "damage/allocation_meter.h"

namespace gauntlet::damage {
namespace {

constexpr size_t kEveryByte = 64 << 10, kSeededCuts = 2'000, kFlips = 10'000;
constexpr int64_t kMemory = 1 << 20;
constexpr int kFailuresMax = 5;

class Trial {
 public:
  Trial(const DamagedFile& file, const Check& check) : file_(file), check_(check) {}

  void Try(const std::string& bytes, size_t place, bool shows, const char* how) {
    if (failures_ >= kFailuresMax) return;
    Outcome outcome;
    int64_t peak;
    {
      AllocationMeter meter;
      outcome = check_(bytes, place);
      peak = meter.peak_bytes();
    }
    int64_t bound = 2 * static_cast<int64_t>(bytes.size()) + kMemory;
    if (outcome == Outcome::kWrong && shows) Fail(how, place, "another answer");
    if (peak > bound) Fail(how, place, std::to_string(peak) + " bytes held, more than " + std::to_string(bound));
    peak_over_ = std::max(peak_over_, peak - 2 * static_cast<int64_t>(bytes.size()));
  }

  int64_t peak_over() const { return peak_over_; }

 private:
  void Fail(const char* how, size_t place, const std::string& what) {
    ++failures_;
    ADD_FAILURE() << file_.name << " " << how << " at " << place << ": " << what;
  }

  const DamagedFile& file_;
  const Check& check_;
  int failures_ = 0;
  int64_t peak_over_ = INT64_MIN;
};

// Some of them when not all are asked for: a seeded sample, so that each run tries the same.
std::vector<size_t> Sample(std::set<size_t> all, size_t max, std::mt19937_64* random) {
  std::vector<size_t> places(all.begin(), all.end());
  if (FullRun() || places.size() <= max) return places;
  std::vector<size_t> some;
  std::sample(places.begin(), places.end(), std::back_inserter(some), max, *random);
  return some;
}

std::set<size_t> CutPlaces(const DamagedFile& file, std::mt19937_64* random) {
  std::set<size_t> places;
  const size_t size = file.whole.size();
  for (size_t n = 0; n < std::min(size, kEveryByte); ++n) places.insert(n);
  if (size <= kEveryByte) return places;
  for (size_t border : file.borders) {
    for (size_t n : {border - 1, border, border + 1}) {
      if (n < size) places.insert(n);
    }
  }
  for (size_t i = 0; i < kSeededCuts; ++i) places.insert((*random)() % size);
  return places;
}

// Which of the files of the running test this call is about, from 1.
size_t NumberInTest() {
  static const testing::TestInfo* test = nullptr;
  static size_t number = 0;
  const testing::TestInfo* running = testing::UnitTest::GetInstance()->current_test_info();
  if (running != test) number = 0;
  test = running;
  return ++number;
}

size_t FirstNumber() {
  const char* first = std::getenv("GAUNTLET_DAMAGE_FROM");
  return first != nullptr ? std::strtoull(first, nullptr, 10) : 0;
}

}  // namespace

bool FullRun() { return std::getenv("GAUNTLET_FULL_TRUNCATION") != nullptr; }

void ExpectSound(DamagedFile file, const Check& check) {
  const size_t size = file.whole.size();
  ASSERT_GT(size, 0u) << file.name;
  const size_t number = NumberInTest();
  if (number < FirstNumber()) return;
  std::mt19937_64 random(size);
  Trial trial(file, check);
  // The default run takes as many places as cost about the same for every file.
  const size_t sample = std::clamp<size_t>((size_t{4} << 20) / size, 16, 200);
  for (size_t n : Sample(CutPlaces(file, &random), sample, &random)) {
    std::string cut = file.whole.substr(0, n);
    trial.Try(cut, n, true, "cut");
    if (!file.tail.empty()) trial.Try(cut + file.tail, n, true, "cut before its tail");
  }
  for (size_t i = 0; i < (FullRun() ? kFlips : sample); ++i) {
    const size_t bit = random() % (size * 8);
    char& byte = file.whole[bit / 8];
    const char was = byte;
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    trial.Try(file.whole, bit / 8, file.flips_show, "flipped");
    byte = was;
  }
  if (FullRun()) {
    std::printf("  %zu %s: %zu bytes, at most 2 x the file %+lld bytes held\n", number, file.name.c_str(), size,
                static_cast<long long>(trial.peak_over()));
    std::fflush(stdout);
  }
}

}  // namespace gauntlet::damage
