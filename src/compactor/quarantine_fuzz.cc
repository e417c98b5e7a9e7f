#include "base/check.h"
#include "compactor/lease.h"
#include "compactor/quarantine.h"

// What was read is written so that it reads, and from then on reads the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet::compactor;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto mark = ParseQuarantineMark(text); mark.ok()) {
    auto second = ParseQuarantineMark(FormatQuarantineMark(*mark));
    GN_CHECK(second.ok());
    GN_CHECK(*ParseQuarantineMark(FormatQuarantineMark(*second)) == *second);
  }
  if (auto lease = ParseLease(text); lease.ok()) {
    auto second = ParseLease(FormatLease(*lease));
    GN_CHECK(second.ok() && second->until_ms == lease->until_ms);
  }
  return 0;
}
