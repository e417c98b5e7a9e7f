#include "rpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>
#include <vector>

#include "proto/grpc/reflection.pb.h"
#include "proto/grpc/reflection_v1alpha.pb.h"
#include "wire/proto_convert.h"

namespace gauntlet::rpc {
namespace {

namespace v1 = grpc::reflection::v1;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using net::GrpcCode;
using net::GrpcStatus;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

// Answers the requests of one call. A file comes with those it imports; each is sent once in a call.
class Answers {
 public:
  explicit Answers(const std::set<std::string>& services) : services_(services) {}

  v1::ServerReflectionResponse To(const v1::ServerReflectionRequest& request) {
    v1::ServerReflectionResponse response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case v1::ServerReflectionRequest::kFileByFilename:
        File(Pool().FindFileByName(request.file_by_filename()), request.file_by_filename(), &response);
        break;
      case v1::ServerReflectionRequest::kFileContainingSymbol:
        File(Pool().FindFileContainingSymbol(request.file_containing_symbol()), request.file_containing_symbol(),
             &response);
        break;
      case v1::ServerReflectionRequest::kFileContainingExtension: {
        const auto& wanted = request.file_containing_extension();
        const auto* type = Pool().FindMessageTypeByName(wanted.containing_type());
        const auto* field = type ? Pool().FindExtensionByNumber(type, wanted.extension_number()) : nullptr;
        File(field ? field->file() : nullptr, wanted.containing_type(), &response);
        break;
      }
      case v1::ServerReflectionRequest::kAllExtensionNumbersOfType:
        Extensions(request.all_extension_numbers_of_type(), &response);
        break;
      case v1::ServerReflectionRequest::kListServices:
        for (const std::string& service : services_)
          response.mutable_list_services_response()->add_service()->set_name(service);
        break;
      case v1::ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
        Error(GrpcCode::kInvalidArgument, "no request in the message", &response);
        break;
    }
    return response;
  }

 private:
  static void Error(GrpcCode code, const std::string& text, v1::ServerReflectionResponse* response) {
    response->mutable_error_response()->set_error_code(static_cast<int32_t>(code));
    response->mutable_error_response()->set_error_message(text);
  }

  void File(const FileDescriptor* file, const std::string& wanted, v1::ServerReflectionResponse* response) {
    if (file == nullptr) return Error(GrpcCode::kNotFound, "not found: " + wanted, response);
    auto* files = response->mutable_file_descriptor_response();
    std::vector<const FileDescriptor*> queue = {file};
    std::set<const FileDescriptor*> queued = {file};
    for (size_t i = 0; i < queue.size(); ++i) {
      // What was asked for is sent again; what it imports is not.
      if (sent_.insert(queue[i]).second || i == 0) {
        google::protobuf::FileDescriptorProto proto;
        queue[i]->CopyTo(&proto);
        proto.SerializeToString(files->add_file_descriptor_proto());
      }
      for (int d = 0; d < queue[i]->dependency_count(); ++d)
        if (queued.insert(queue[i]->dependency(d)).second) queue.push_back(queue[i]->dependency(d));
    }
  }

  static void Extensions(const std::string& name, v1::ServerReflectionResponse* response) {
    const auto* type = Pool().FindMessageTypeByName(name);
    if (type == nullptr) return Error(GrpcCode::kNotFound, "not found: " + name, response);
    auto* numbers = response->mutable_all_extension_numbers_response();
    numbers->set_base_type_name(name);
    std::vector<const google::protobuf::FieldDescriptor*> extensions;
    Pool().FindAllExtensions(type, &extensions);
    for (const auto* extension : extensions) numbers->add_extension_number(extension->number());
  }

  const std::set<std::string>& services_;
  std::set<const FileDescriptor*> sent_;
};

}  // namespace

void RegisterReflection(MethodMap* methods) {
  // v1alpha's messages are the same bytes; its descriptor is for clients that ask for it.
  grpc::reflection::v1alpha::ServerReflectionRequest::descriptor();
  std::vector<std::string> names = {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"};
  auto services = std::make_shared<std::set<std::string>>(names.begin(), names.end());
  for (const auto& [method, handler] : *methods) services->insert(DescribeMethod(method).service);
  auto handler = [services](net::GrpcServerCall& call) -> GrpcStatus {
    Answers answers(*services);
    std::string bytes;
    for (;;) {
      Result<bool> read = call.Read(&bytes);
      if (!read.ok()) return read.status();
      if (!*read) return {};
      v1::ServerReflectionRequest request;
      if (Status parsed = wire::ParseMessage(bytes, &request); !parsed.ok())
        return {GrpcCode::kInternal, std::string(parsed.message())};
      if (Status written = call.Write(answers.To(request).SerializeAsString()); !written.ok()) return written;
    }
  };
  for (const std::string& name : names) (*methods)["/" + name + "/ServerReflectionInfo"] = handler;
}

}  // namespace gauntlet::rpc
