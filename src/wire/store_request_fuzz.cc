// Any bytes as each of StoreAPI's requests: what decodes must decode again after being encoded.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "wire/store_request.h"

using namespace gauntlet;  // NOLINT: a fuzz target

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (auto request = wire::DecodeSeriesRequest(bytes); request.ok()) {
    auto again = wire::DecodeSeriesRequest(wire::EncodeSeriesRequest(*request));
    GN_CHECK(again.ok() && again->matchers == request->matchers && again->hints == request->hints);
    (void)wire::DecodeRequestHints(wire::HintsOf::kSeries, request->hints);
  }
  if (auto request = wire::DecodeLabelValuesRequest(bytes); request.ok())
    GN_CHECK(wire::DecodeLabelValuesRequest(wire::EncodeLabelValuesRequest(*request)).ok());
  if (auto response = wire::DecodeLabelsResponse(bytes); response.ok())
    GN_CHECK(wire::DecodeLabelsResponse(wire::EncodeLabelsResponse(*response)).ok());
  (void)wire::DecodeResponseHints(wire::HintsOf::kSeries, bytes);
  return 0;
}
