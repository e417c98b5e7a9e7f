// The first line is the content type, the rest the body.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/http/multipart_form.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  gauntlet::net::FormValues form;
  (void)gauntlet::net::ParseMultipartForm(input.substr(0, line), input.substr(std::min(line + 1, size)), &form).ok();
  return 0;
}
