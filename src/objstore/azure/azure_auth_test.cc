#include "objstore/azure/azure_auth.h"

#include <gtest/gtest.h>

#include "config/yaml.h"
#include "objstore/sources.h"

namespace gauntlet::objstore {
namespace {

Result<AzureConfig> Parse(std::string_view yaml) { return ParseAzureConfig(**config::ParseYaml(yaml)); }

// The examples of Microsoft's page on shared keys.
TEST(AzureSharedKey, StringToSign) {
  Request get;
  get.path = "/mycontainer";
  get.query = {{"restype", "container"}, {"comp", "metadata"}, {"timeout", "20"}};
  get.headers.Set("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT");
  get.headers.Set("x-ms-version", "2015-02-21");
  EXPECT_EQ(AzureStringToSign("myaccount", get),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n"
            "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20");
  BytesFile file("0123456789");
  Request put;
  put.method = "PUT";
  put.path = "/c/a b";
  put.headers.Set("Content-Type", "text/plain");
  put.headers.Set("x-ms-blob-type", "BlockBlob");
  put.file = &file;
  put.file_bytes = 10;
  EXPECT_EQ(AzureStringToSign("a", put), "PUT\n\n\n10\n\ntext/plain\n\n\n\n\n\n\nx-ms-blob-type:BlockBlob\n/a/c/a%20b");
}

TEST(AzureConfig, ConnectionStringsLeadToAnAccount) {
  auto account = [](const std::string& text) {
    return ResolveAzureAccount(
        *Parse("{storage_account: x, container: c, storage_connection_string: \"" + text + "\"}"));
  };
  auto plain = account("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net");
  ASSERT_TRUE(plain.ok()) << plain.status().message();
  EXPECT_EQ(plain->host, "a.blob.core.windows.net");
  EXPECT_EQ(plain->key, "a2V5");
  auto emulator = account("AccountName=dev;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:10000/dev;");
  EXPECT_EQ(emulator->host + emulator->path_prefix, "127.0.0.1:10000/dev");
  EXPECT_FALSE(emulator->tls);
  auto sas = account("BlobEndpoint=https://a.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=x%3D");
  EXPECT_EQ(sas->query, "sv=1&sig=x%3D");
  EXPECT_FALSE(account("AccountName=a").ok());
  EXPECT_EQ(ResolveAzureAccount(*Parse("{storage_account: x, container: c, storage_account_key: a2V5}"))->host,
            "x.blob.core.windows.net");
}

TEST(AzureConfig, MistakesAreTold) {
  auto error = [](std::string_view yaml) { return std::string(Parse(yaml).status().message()); };
  EXPECT_EQ(error("{}"), "storage_account_name is required but not configured, no container specified");
  EXPECT_EQ(error("{storage_account: a, container: c, client_id: i}"),
            "az_tenant_id, client_id, and client_secret must be set together");
  EXPECT_EQ(error("{storage_account: a, container: c, storage_account_key: k, storage_connection_string: s}"),
            "storage_account_key and storage_connection_string cannot both be set");
  EXPECT_NE(error("{storage_account: a, container: c, x: 1}").find("field x not found in type azure.Config"),
            std::string::npos);
  EXPECT_EQ(Parse("{storage_account: a, container: c, max_retries: 7}")->max_tries, 7);
}

}  // namespace
}  // namespace gauntlet::objstore
