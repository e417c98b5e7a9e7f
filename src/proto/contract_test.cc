// Pins the contracts to what peers speak: full method names, and the recorded messages of real servers, which must
// parse without a field left over and come out again as the same bytes.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proto/grpc/health.pb.h"
#include "proto/grpc/reflection.pb.h"
#include "proto/grpc/reflection_v1alpha.pb.h"
#include "proto/opentelemetry/trace.pb.h"
#include "proto/prometheus/remote.pb.h"
#include "proto/prometheus/write_v2.pb.h"
#include "proto/thanos/exemplars.pb.h"
#include "proto/thanos/hints.pb.h"
#include "proto/thanos/info.pb.h"
#include "proto/thanos/metadata.pb.h"
#include "proto/thanos/query.pb.h"
#include "proto/thanos/rules.pb.h"
#include "proto/thanos/status.pb.h"
#include "proto/thanos/store.pb.h"
#include "proto/thanos/targets.pb.h"

namespace gauntlet {
namespace {

namespace fs = std::filesystem;
using google::protobuf::Descriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;

// "/package.Service/Method(Request) Answer", streams as "stream Answer".
std::vector<std::string> Methods(const FileDescriptor* file) {
  std::vector<std::string> methods;
  for (int s = 0; s < file->service_count(); ++s)
    for (int m = 0; m < file->service(s)->method_count(); ++m) {
      const auto* method = file->service(s)->method(m);
      methods.push_back("/" + file->service(s)->full_name() + "/" + method->name() + "(" +
                        (method->client_streaming() ? "stream " : "") + method->input_type()->name() + ") " +
                        (method->server_streaming() ? "stream " : "") + method->output_type()->name());
    }
  return methods;
}

using Names = std::vector<std::string>;

TEST(Contract, MethodsHaveThePeersNames) {
  EXPECT_EQ(Methods(thanos::SeriesRequest::descriptor()->file()),
            (Names{"/thanos.Store/Series(SeriesRequest) stream SeriesResponse",
                   "/thanos.Store/LabelNames(LabelNamesRequest) LabelNamesResponse",
                   "/thanos.Store/LabelValues(LabelValuesRequest) LabelValuesResponse",
                   "/thanos.WriteableStore/RemoteWrite(WriteRequest) WriteResponse"}));
  EXPECT_EQ(Methods(thanos::info::InfoRequest::descriptor()->file()),
            (Names{"/thanos.info.Info/Info(InfoRequest) InfoResponse"}));
  EXPECT_EQ(Methods(thanos::RulesRequest::descriptor()->file()),
            (Names{"/thanos.Rules/Rules(RulesRequest) stream RulesResponse"}));
  EXPECT_EQ(Methods(thanos::TargetsRequest::descriptor()->file()),
            (Names{"/thanos.Targets/Targets(TargetsRequest) stream TargetsResponse"}));
  EXPECT_EQ(Methods(thanos::MetricMetadataRequest::descriptor()->file()),
            (Names{"/thanos.Metadata/MetricMetadata(MetricMetadataRequest) stream MetricMetadataResponse"}));
  EXPECT_EQ(Methods(thanos::ExemplarsRequest::descriptor()->file()),
            (Names{"/thanos.Exemplars/Exemplars(ExemplarsRequest) stream ExemplarsResponse"}));
  EXPECT_EQ(Methods(thanos::TSDBStatisticsRequest::descriptor()->file()),
            (Names{"/thanos.Status/TSDBStatistics(TSDBStatisticsRequest) stream TSDBStatisticsResponse"}));
  EXPECT_EQ(Methods(thanos::QueryRequest::descriptor()->file()),
            (Names{"/thanos.Query/Query(QueryRequest) stream QueryResponse",
                   "/thanos.Query/QueryRange(QueryRangeRequest) stream QueryRangeResponse"}));
  EXPECT_EQ(Methods(grpc::health::v1::HealthCheckRequest::descriptor()->file()),
            (Names{"/grpc.health.v1.Health/Check(HealthCheckRequest) HealthCheckResponse",
                   "/grpc.health.v1.Health/List(HealthListRequest) HealthListResponse",
                   "/grpc.health.v1.Health/Watch(HealthCheckRequest) stream HealthCheckResponse"}));
  for (const FileDescriptor* file : {grpc::reflection::v1::ServerReflectionRequest::descriptor()->file(),
                                     grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file()})
    EXPECT_EQ(Methods(file), (Names{"/" + file->package() + ".ServerReflection/ServerReflectionInfo" +
                                    "(stream ServerReflectionRequest) stream ServerReflectionResponse"}));
  EXPECT_EQ(Methods(opentelemetry::proto::collector::trace::v1::Span::descriptor()->file()),
            (Names{"/opentelemetry.proto.collector.trace.v1.TraceService/Export(ExportTraceServiceRequest) "
                   "ExportTraceServiceResponse"}));
}

TEST(Contract, HintsKeepTheirTypeUrls) {
  EXPECT_EQ(hintspb::SeriesRequestHints::descriptor()->full_name(), "hintspb.SeriesRequestHints");
  EXPECT_EQ(hintspb::LabelValuesResponseHints::descriptor()->full_name(), "hintspb.LabelValuesResponseHints");
}

TEST(Contract, WriteVersionTwoIsNotReadableAsVersionOne) {
  const Descriptor* request = io::prometheus::write::v2::Request::descriptor();
  EXPECT_EQ(request->full_name(), "io.prometheus.write.v2.Request");
  for (int number : {1, 2, 3}) EXPECT_EQ(request->FindFieldByNumber(number), nullptr) << number;
}

bool HasUnknownFields(const Message& message) {
  const auto* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) return true;
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (HasUnknownFields(reflection->GetMessage(message, field))) return true;
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i)
      if (HasUnknownFields(reflection->GetRepeatedMessage(message, field, i))) return true;
  }
  return false;
}

void ExpectSameBytesBack(Message& message, const std::string& bytes, const std::string& where) {
  ASSERT_TRUE(message.ParseFromString(bytes)) << where;
  EXPECT_FALSE(HasUnknownFields(message)) << where << "\n" << message.ShortDebugString();
  EXPECT_EQ(message.SerializeAsString(), bytes) << where;
}

fs::path Golden() {
  if (const char* shared = std::getenv("GAUNTLET_SHARED")) return fs::path(shared) / "golden/storeapi";
  for (fs::path at = fs::current_path(); at != at.root_path(); at = at.parent_path())
    if (fs::exists(at / "shared/golden/storeapi")) return at / "shared/golden/storeapi";
  return {};
}

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The messages of a file in which each has its length before it.
std::vector<std::string> Frames(std::string_view bytes) {
  std::vector<std::string> frames;
  while (!bytes.empty()) {
    size_t length = 0, used = 0;
    for (int shift = 0; used < bytes.size(); shift += 7) {
      auto byte = static_cast<unsigned char>(bytes[used++]);
      length |= static_cast<size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    frames.emplace_back(bytes.substr(used, length));
    bytes.remove_prefix(used + frames.back().size());
  }
  return frames;
}

TEST(Contract, RecordedMessagesComeBackAsTheSameBytes) {
  fs::path golden = Golden();
  if (!fs::exists(golden)) GTEST_SKIP() << "no golden data: set GAUNTLET_SHARED";
  thanos::info::InfoRequest info_request;
  thanos::info::InfoResponse info;
  thanos::SeriesRequest series_request;
  thanos::SeriesResponse series;
  thanos::LabelNamesRequest names_request;
  thanos::LabelNamesResponse names;
  thanos::LabelValuesRequest values_request;
  thanos::LabelValuesResponse values;
  std::map<std::string, std::pair<Message*, Message*>> kinds = {
      {"/thanos.info.Info/Info", {&info_request, &info}},
      {"/thanos.Store/Series", {&series_request, &series}},
      {"/thanos.Store/LabelNames", {&names_request, &names}},
      {"/thanos.Store/LabelValues", {&values_request, &values}}};
  int requests = 0, frames = 0;
  for (const auto& entry : fs::recursive_directory_iterator(golden)) {
    std::string path = entry.path().string();
    if (!path.ends_with(".request.pb")) continue;
    std::string stem = path.substr(0, path.size() - std::string_view(".request.pb").size());
    std::string json = ReadAll(stem + ".request.json");
    auto kind = std::find_if(kinds.begin(), kinds.end(),
                             [&](const auto& k) { return json.find("\"" + k.first + "\"") != std::string::npos; });
    ASSERT_NE(kind, kinds.end()) << json;
    ExpectSameBytesBack(*kind->second.first, ReadAll(path), path);
    ++requests;
    for (const std::string& frame : Frames(ReadAll(stem + ".responses.pb"))) {
      ExpectSameBytesBack(*kind->second.second, frame, stem);
      ++frames;
    }
  }
  EXPECT_GT(requests, 100);
  EXPECT_GT(frames, 500);
}

}  // namespace
}  // namespace gauntlet
