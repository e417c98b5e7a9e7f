// Certificates for tests: a small authority that signs what a test asks for. Test code only.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

struct x509_st;
struct evp_pkey_st;

namespace gauntlet::net {

// A folder that goes with the test.
class TestDir {
 public:
  TestDir();
  ~TestDir();
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

struct TestCertFiles {
  std::string cert, key;
};

// Elliptic-curve certificates, valid for an hour. One thread at a time.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  void WriteCaFile(const std::string& path) const;
  // `names`: "DNS:localhost", "IP:127.0.0.1". Files of the same stem are replaced by renaming, as tools do it.
  TestCertFiles Issue(const TestDir& dir, const std::string& stem, const std::string& common_name,
                      const std::vector<std::string>& names, const std::string& organizational_unit = "");

 private:
  evp_pkey_st* key_;
  x509_st* cert_;
  long serial_ = 1;
};

}  // namespace gauntlet::net
