// Whatever the text, what is read are packed labels in order, with a metric name.
#include "base/check.h"
#include "expfmt/openmetrics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gauntlet::expfmt::OpenMetricsReader reader({reinterpret_cast<const char*>(data), size});
  gauntlet::expfmt::TextSample sample;
  for (;;) {
    auto more = reader.Next(&sample);
    if (!more.ok() || !*more) return 0;
    std::string last;
    for (const gauntlet::Label& label : sample.labels()) {
      GN_CHECK(last < label.name && !label.value.empty());
      last = label.name;
    }
  }
}
