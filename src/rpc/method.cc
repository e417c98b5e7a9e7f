#include "rpc/method.h"

#include <google/protobuf/descriptor.h>

namespace gauntlet::rpc {

MethodInfo DescribeMethod(std::string_view full_name) {
  MethodInfo info;
  info.type = "unary";
  if (full_name.starts_with('/')) full_name.remove_prefix(1);
  size_t slash = full_name.rfind('/');
  if (slash == std::string_view::npos) slash = full_name.size();
  info.service = full_name.substr(0, slash);
  if (slash < full_name.size()) info.method = full_name.substr(slash + 1);
  const auto* method =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(info.service + "." + info.method);
  if (method == nullptr) return info;
  if (method->client_streaming()) {
    info.type = method->server_streaming() ? "bidi_stream" : "client_stream";
  } else if (method->server_streaming()) {
    info.type = "server_stream";
  }
  return info;
}

}  // namespace gauntlet::rpc
