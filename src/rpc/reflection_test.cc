#include "rpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/executor.h"
#include "proto/grpc/reflection.pb.h"
#include "rpc/health.h"
#include "rpc/loopback_channel.h"
#include "rpc/store.h"

namespace gauntlet::rpc {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using Strings = std::vector<std::string>;

class NoStore : public StoreService {
 public:
  net::GrpcStatus Series(const wire::SeriesRequest&, SeriesWriter&, const CallContext&) override { return {}; }
  net::GrpcStatus LabelNames(const wire::LabelNamesRequest&, wire::LabelsResponse*, const CallContext&) override {
    return {};
  }
  net::GrpcStatus LabelValues(const wire::LabelValuesRequest&, wire::LabelsResponse*, const CallContext&) override {
    return {};
  }
};

class ReflectionTest : public testing::TestWithParam<const char*> {
 protected:
  ReflectionTest() {
    MethodMap methods;
    RegisterStore(store_, &methods);
    health_.Register(&methods);
    RegisterReflection(&methods);
    channel_ = std::make_unique<LoopbackChannel>(methods, pool_);
    call_ = channel_->Start("/grpc.reflection." + std::string(GetParam()) + ".ServerReflection/ServerReflectionInfo",
                            {}, Cancel());
  }
  ServerReflectionResponse Ask(const ServerReflectionRequest& request) {
    EXPECT_TRUE(call_->Write(request.SerializeAsString()).ok());
    std::string bytes;
    Result<bool> read = call_->Read(&bytes);
    EXPECT_TRUE(read.ok() && *read);
    ServerReflectionResponse response;
    EXPECT_TRUE(response.ParseFromString(bytes));
    EXPECT_EQ(response.original_request().SerializeAsString(), request.SerializeAsString());
    return response;
  }

  NoStore store_;
  HealthService health_;
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LoopbackChannel> channel_;
  std::unique_ptr<net::GrpcClientCall> call_;
};

TEST_P(ReflectionTest, ListsTheServicesThatTheServerHas) {
  ServerReflectionRequest request;
  request.set_list_services("*");
  Strings names;
  ServerReflectionResponse response = Ask(request);
  for (const auto& service : response.list_services_response().service()) names.push_back(service.name());
  EXPECT_EQ(names, (Strings{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                            "grpc.reflection.v1alpha.ServerReflection", "thanos.Store"}));
}

// What a client does with the answer: a pool of its own, in which the method can be looked up.
TEST_P(ReflectionTest, TheFilesOfASymbolMakeAWholePool) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("thanos.Store");
  google::protobuf::SimpleDescriptorDatabase database;
  ServerReflectionResponse response = Ask(request);
  for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    EXPECT_TRUE(database.Add(file)) << file.name();
  }
  google::protobuf::DescriptorPool pool(&database);
  const auto* method = pool.FindMethodByName("thanos.Store.Series");
  ASSERT_NE(method, nullptr);
  EXPECT_TRUE(method->server_streaming());
  EXPECT_NE(method->input_type()->FindFieldByName("response_batch_size"), nullptr);
}

TEST_P(ReflectionTest, ImportsAreSentOnceInACall) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("thanos.Store.Series");  // a method is a symbol too
  EXPECT_GT(Ask(request).file_descriptor_response().file_descriptor_proto_size(), 2);
  request.set_file_by_filename("proto/thanos/types.proto");
  EXPECT_EQ(Ask(request).file_descriptor_response().file_descriptor_proto_size(), 1);
  request.set_file_by_filename("proto/thanos/store.proto");
  EXPECT_EQ(Ask(request).file_descriptor_response().file_descriptor_proto_size(), 1);
}

TEST_P(ReflectionTest, UnknownNamesAreErrorsOfTheRequestNotOfTheCall) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol("thanos.Nobody");
  EXPECT_EQ(Ask(request).error_response().error_code(), 5);
  request.set_file_by_filename("nobody.proto");
  EXPECT_EQ(Ask(request).error_response().error_code(), 5);
  request.mutable_file_containing_extension()->set_containing_type("thanos.Series");
  EXPECT_EQ(Ask(request).error_response().error_code(), 5);
  request.set_all_extension_numbers_of_type("thanos.Series");
  EXPECT_EQ(Ask(request).all_extension_numbers_response().base_type_name(), "thanos.Series");
  EXPECT_EQ(Ask(ServerReflectionRequest()).error_response().error_code(), 3);
  ASSERT_TRUE(call_->WritesDone().ok());
  std::string bytes;
  EXPECT_FALSE(*call_->Read(&bytes));
  EXPECT_TRUE(call_->Finish().ok());
}

INSTANTIATE_TEST_SUITE_P(Versions, ReflectionTest, testing::Values("v1", "v1alpha"));

}  // namespace
}  // namespace gauntlet::rpc
