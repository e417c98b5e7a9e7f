// A file, damaged in every way that counts, and what reading it must never do.
//
// Cut at every byte up to 64 KiB, beyond that at each border of a record and a byte beside it, and at 2,000 seeded
// places; 10,000 seeded bits flipped. Reading gives an error or the right answer, never another one, and holds at most
// twice the file's bytes and 1 MiB. In the default run a seeded sample of the places, in all of them when
// GAUNTLET_FULL_TRUNCATION is set. GAUNTLET_DAMAGE_FROM=N begins each test at its N-th file (a full run prints the
// numbers), to go on where a run was ended.
//
// Threads: free functions.

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gauntlet::damage {

enum class Outcome { kError, kRight, kWrong };

// Reads damaged bytes; `place` is the first byte that may differ. Whether the answer is right is the check's to say.
using Check = std::function<Outcome(std::string_view bytes, size_t place)>;

struct DamagedFile {
  std::string name;  // for messages
  std::string whole;
  std::vector<size_t> borders;  // where records begin
  bool flips_show = true;       // false: the format has no checksum, so a flipped bit may be another right file
  std::string tail;             // put behind the rest of a cut file as well, when not "": what is read first of all
};

// True when all places are tried.
bool FullRun();

// Adds a failure for each place that goes wrong, five at most.
void ExpectSound(DamagedFile file, const Check& check);

}  // namespace gauntlet::damage
