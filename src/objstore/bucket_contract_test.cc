#include "objstore/testing/bucket_contract.h"

#include "objstore/filesystem_bucket.h"
#include "objstore/memory_bucket.h"
#include "objstore/prefix_bucket.h"
#include "objstore/testing/temporary_directory.h"

namespace gauntlet::objstore {
namespace {

Provided MakeFilesystem() {
  auto dir = std::make_shared<TemporaryDirectory>();
  return {std::make_unique<FilesystemBucket>(io::RealFileSystem(), dir->path()), "", dir};
}

INSTANTIATE_TEST_SUITE_P(
    , BucketContract,
    testing::Values(Provider{"Memory", [] { return Provided{std::make_unique<MemoryBucket>(), "", nullptr}; }},
                    Provider{"Filesystem", MakeFilesystem},
                    Provider{"Prefix",
                             [] {
                               return Provided{PrefixBucket::Wrap(std::make_unique<MemoryBucket>(), "/a/b/"), "",
                                               nullptr};
                             }}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace gauntlet::objstore
