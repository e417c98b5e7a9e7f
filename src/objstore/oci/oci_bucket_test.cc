// The contract over a small server of ours that checks each signature: it shows that the parts fit, not that Oracle
// agrees.

#include "objstore/oci/oci_bucket.h"

#include "json/reader.h"
#include "json/writer.h"
#include "model/time.h"
#include "net/http/server.h"
#include "net/text.h"
#include "objstore/http_date.h"
#include "objstore/memory_bucket.h"
#include "objstore/sign.h"
#include "objstore/testing/bucket_contract.h"
#include "objstore/testing/rsa_key.h"

namespace gauntlet::objstore {
namespace {

TEST(OciSignature, StringToSignHasTheBodyOnlyWhereItIsSigned) {
  Request get;
  get.host = "h";
  get.escaped_path = "/n/x/b/y/o";
  get.query = {{"prefix", "a/"}};
  get.headers.Set("Date", "Thu, 05 Jan 2014 21:31:40 GMT");
  std::string names;
  EXPECT_EQ(OciStringToSign(get, &names),
            "date: Thu, 05 Jan 2014 21:31:40 GMT\n(request-target): get /n/x/b/y/o?prefix=a%2F\nhost: h");
  EXPECT_EQ(names, "date (request-target) host");
  get.method = "POST";
  get.body = "{}";
  get.headers.Set("Content-Type", "application/json");
  get.headers.Set("x-content-sha256", "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
  std::string text = OciStringToSign(get, &names);
  EXPECT_EQ(text.substr(text.find("\nhost: h\n") + 9),
            "content-length: 2\ncontent-type: application/json\nx-content-sha256: "
            "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=");
}

class FakeOci {
 public:
  FakeOci() {
    net::HttpServerOptions options;
    options.body_bytes_max = 64 << 20;
    server_ = *net::HttpServer::Start(
        options, [this](net::HttpRequest& r, const Cancel&, net::HttpReply& w) { Serve(r, w); }, pool_);
  }
  std::string host() const { return "127.0.0.1:" + std::to_string(server_->port()); }

 private:
  static bool Signed(const net::HttpRequest& request) {
    Request seen;
    seen.method = request.method;
    seen.host = request.headers.Get("Host");
    seen.escaped_path = request.target;
    seen.body = request.body;
    for (const char* name : {"Date", "Content-Type", "x-content-sha256"}) {
      if (request.headers.Has(name)) seen.headers.Set(name, request.headers.Get(name));
    }
    std::string names;
    std::string signature = Base64(*SignRsaSha256(kTestRsaKey, "", OciStringToSign(seen, &names)));
    std::string authorization(request.headers.Get("Authorization"));
    return authorization.find("signature=\"" + signature + "\"") != std::string::npos &&
           authorization.find("headers=\"" + names + "\"") != std::string::npos &&
           authorization.find("keyId=\"t/u/f\"") != std::string::npos;
  }
  static void Fail(net::HttpReply& reply, int status, const char* code) {
    reply.SetStatus(status);
    (void)reply.Write(std::string("{\"code\":\"") + code + "\",\"message\":\"\"}");
  }

  void Serve(net::HttpRequest& request, net::HttpReply& reply) {
    if (!Signed(request)) return Fail(reply, 401, "NotAuthenticated");
    if (request.target == "/n") return (void)reply.Write("\"space\"");
    std::string path = request.target.substr(0, request.target.find('?'));
    const std::string objects = "/n/space/b/b/o", uploads = "/n/space/b/b/u";
    net::FormValues form;
    (void)form.Parse(request.query);
    if (path == objects) return List(form, reply);
    if (path == uploads) return (void)reply.Write("{\"uploadId\":\"id-1\"}");
    std::string name = *net::PercentDecode(path.substr(objects.size() + 1), false);
    if (path.starts_with(uploads)) return Part(request, name, form, reply);
    if (request.method == "PUT") {
      Status status = WriteObject(bucket_, name, request.body, Cancel(),
                                  {.if_absent = request.headers.Get("If-None-Match") == "*"});
      if (!status.ok()) Fail(reply, 412, "IfNoneMatchFailed");
    } else if (request.method == "DELETE") {
      (void)bucket_.Delete(name, Cancel());
      reply.SetStatus(204);
    } else {
      Get(request, name, reply);
    }
  }

  void Get(const net::HttpRequest& request, const std::string& name, net::HttpReply& reply) {
    Result<std::string> bytes = ReadObject(bucket_, name, Cancel());
    if (!bytes.ok()) return Fail(reply, 404, "ObjectNotFound");
    std::string range(request.headers.Get("Range"));
    size_t from = 0, to = bytes->size();
    if (!range.empty()) {
      from = std::stoull(range.substr(6));
      std::string end = range.substr(range.find('-') + 1);
      if (from >= bytes->size()) return Fail(reply, 416, "InvalidRange");
      if (!end.empty()) to = std::min<size_t>(to, std::stoull(end) + 1);
      reply.SetStatus(206);
    }
    reply.headers().Set("ETag", "e");
    if (request.method == "HEAD") reply.headers().Set("Content-Length", std::to_string(bytes->size()));
    int64_t modified = bucket_.Attributes(name, Cancel())->modified_ms;
    reply.headers().Set("Last-Modified", FormatHttpDate(modified));
    (void)reply.Write(bytes->substr(from, to - from));
  }

  void Part(const net::HttpRequest& request, const std::string& name, const net::FormValues& form,
            net::HttpReply& reply) {
    MutexLock lock(mutex_);
    if (request.method == "DELETE") return parts_.clear();
    if (request.method == "PUT") {
      parts_[std::stoi(std::string(form.Get("uploadPartNum")))] = request.body;
      return reply.headers().Set("ETag", "part");
    }
    std::string all;
    for (const auto& [number, bytes] : parts_) all += bytes;
    size_t committed = json::Document::Parse(request.body)->root().Get("partsToCommit").size();
    if (committed != parts_.size()) return Fail(reply, 400, "InvalidUploadPart");
    parts_.clear();
    (void)WriteObject(bucket_, name, all, Cancel());
  }

  void List(const net::FormValues& form, net::HttpReply& reply) {
    std::string text, prefixes, next;
    json::Writer w(&text);
    w.BeginObject().Key("objects").BeginArray();
    std::vector<std::string> dirs;
    int left = 1'000;
    std::string start(form.Get("start")), end(form.Get("end"));
    (void)bucket_.Iter(std::string(form.Get("prefix")), {.recursive = !form.Has("delimiter")}, Cancel(),
                       [&](const ObjectEntry& entry) {
                         if (entry.name < start || (!end.empty() && entry.name >= end)) return Status();
                         if (left-- == 0) next = entry.name;
                         if (left < 0) return Status(Code::kExhausted, "page");
                         if (entry.is_directory()) {
                           dirs.emplace_back(entry.name);
                         } else {
                           w.BeginObject().StringMember("name", entry.name).Key("size").Uint(entry.bytes);
                           w.StringMember("timeModified", FormatRfc3339Ms(entry.modified_ms)).EndObject();
                         }
                         return Status();
                       });
    w.EndArray().Key("prefixes").BeginArray();
    for (const std::string& dir : dirs) w.String(dir);
    w.EndArray();
    if (!next.empty()) w.StringMember("nextStartWith", next);
    w.EndObject();
    (void)reply.Write(text);
  }

  ThreadPool pool_{"oci", 16};
  MemoryBucket bucket_;
  Mutex mutex_;
  std::map<int, std::string> parts_ GN_GUARDED_BY(mutex_);
  std::unique_ptr<net::HttpServer> server_;
};

Provided Make() {
  struct Kept {
    FakeOci server;
    ThreadPool pool{"oci-client", 8};
  };
  auto kept = std::make_shared<Kept>();
  std::string yaml =
      "provider: raw\nbucket: b\ntenancy_ocid: t\nuser_ocid: u\nfingerprint: f\nregion: r\nprivatekey: |\n";
  std::string pem = kTestRsaKey;
  for (size_t at = 0; at < pem.size();) {
    size_t end = std::min(pem.find('\n', at), pem.size());
    yaml += "  " + pem.substr(at, end - at) + "\n";
    at = end + 1;
  }
  auto bucket =
      MakeOciBucket(**config::ParseYaml(yaml), {kept->pool, io::RealFileSystem(), telemetry::Logger::Discard(), "test"},
                    kept->server.host());
  EXPECT_TRUE(bucket.ok()) << bucket.status().message();
  if (!bucket.ok()) return {nullptr, "no bucket", nullptr};
  return {*std::move(bucket), "", kept};
}

INSTANTIATE_TEST_SUITE_P(Oci, BucketContract, testing::Values(Provider{"Signed", [] { return Make(); }}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gauntlet::objstore
