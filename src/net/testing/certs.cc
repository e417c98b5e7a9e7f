#include "net/testing/certs.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>

#include "base/check.h"

namespace gauntlet::net {
namespace {

EVP_PKEY* NewKey() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  GN_CHECK(key != nullptr);
  return key;
}

void AddEntry(X509_NAME* name, const char* field, const std::string& value) {
  if (value.empty()) return;
  X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                             static_cast<int>(value.size()), -1, 0);
}

void AddExtension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  GN_CHECK(extension != nullptr);
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

X509* NewCert(EVP_PKEY* key, long serial, const std::string& common_name, const std::string& unit) {
  X509* cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
  X509_gmtime_adj(X509_getm_notBefore(cert), -60);
  X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
  X509_set_pubkey(cert, key);
  AddEntry(X509_get_subject_name(cert), "O", "Gauntlet");
  AddEntry(X509_get_subject_name(cert), "OU", unit);
  AddEntry(X509_get_subject_name(cert), "CN", common_name);
  return cert;
}

template <typename Write>
void WriteFile(const std::string& path, Write write) {
  std::string fresh = path + ".new";
  FILE* file = std::fopen(fresh.c_str(), "w");
  GN_CHECK(file != nullptr);
  GN_CHECK(write(file) == 1);
  std::fclose(file);
  std::filesystem::rename(fresh, path);
}

}  // namespace

TestDir::TestDir() {
  std::string pattern = (std::filesystem::temp_directory_path() / "gauntlet-net-XXXXXX").string();
  GN_CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TestDir::~TestDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestAuthority::TestAuthority(const std::string& name) : key_(NewKey()), cert_(NewCert(key_, 1, name, "")) {
  X509_set_issuer_name(cert_, X509_get_subject_name(cert_));
  AddExtension(cert_, cert_, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(cert_, cert_, NID_subject_key_identifier, "hash");
  GN_CHECK(X509_sign(cert_, key_, EVP_sha256()) > 0);
}

TestAuthority::~TestAuthority() {
  X509_free(cert_);
  EVP_PKEY_free(key_);
}

void TestAuthority::WriteCaFile(const std::string& path) const {
  WriteFile(path, [&](FILE* file) { return PEM_write_X509(file, cert_); });
}

TestCertFiles TestAuthority::Issue(const TestDir& dir, const std::string& stem, const std::string& common_name,
                                   const std::vector<std::string>& names, const std::string& organizational_unit) {
  EVP_PKEY* key = NewKey();
  X509* cert = NewCert(key, ++serial_, common_name, organizational_unit);
  X509_set_issuer_name(cert, X509_get_subject_name(cert_));
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ",") + name;
  if (!list.empty()) AddExtension(cert, cert_, NID_subject_alt_name, list);
  AddExtension(cert, cert_, NID_ext_key_usage, "serverAuth,clientAuth");
  GN_CHECK(X509_sign(cert, key_, EVP_sha256()) > 0);
  TestCertFiles files{dir / (stem + ".crt"), dir / (stem + ".key")};
  WriteFile(files.key,
            [&](FILE* file) { return PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
  WriteFile(files.cert, [&](FILE* file) { return PEM_write_X509(file, cert); });
  X509_free(cert);
  EVP_PKEY_free(key);
  return files;
}

}  // namespace gauntlet::net
