// BlockViewer: the blocks of a bucket as JSON and as a page: which there are, and which are loaded here.
//
//   api::BlockViewer viewer({.label = flags.label, .admin = !flags.disable_admin, .default_view = "loaded"}, bucket,
//   clock); viewer.Register(router); fetcher.OnFetch([&](const auto& found) { viewer.SetLoaded(found); });
//
// Routes: GET /api/v1/blocks?view=global|loaded, POST /api/v1/blocks/mark, the page at /, /blocks, /global and /loaded.
// Upstream: thanos pkg/api/blocks/v1.go, pkg/ui/bucket.go
// Threads:  thread-safe.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "blocks/meta_fetcher.h"
#include "net/http/router.h"
#include "objstore/bucket.h"

namespace gauntlet::api {

struct BlockViewerOptions {
  std::string label;                    // an external label that names groups; "" = none
  bool admin = true;                    // marks may be set
  std::string default_view = "global";  // of the page at / and /blocks
  // Where a reverse proxy serves the page, before which its links begin; else what the request's header of that name
  // says. Links are relative without either.
  std::string external_prefix, prefix_header;
};

// The path in a prefix ("/a/b/", "a//b", "http://x/a/b"), without a slash at its end: "/a/b", "" for the root.
std::string CleanPrefix(std::string_view prefix);

class BlockViewer {
 public:
  // `bucket` and `clock` are borrowed.
  BlockViewer(BlockViewerOptions options, objstore::Bucket& bucket, const Clock& clock);

  // What was found now. An error is shown beside what was found before.
  void SetGlobal(const Result<blocks::BlockView>& found) { Set(found, &global_); }
  void SetLoaded(const Result<blocks::BlockView>& found) { Set(found, &loaded_); }

  // Must outlive the router.
  void Register(net::HttpRouter& router);

 private:
  struct View {
    blocks::BlockView blocks;
    int64_t refreshed_ms = 0;
    bool refreshed = false;
    Status error;
  };
  void Set(const Result<blocks::BlockView>& found, View* view);
  void Blocks(const net::HttpRequest& request, net::HttpReply& reply) const;
  void Mark(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply) const;
  std::string PageFor(const net::HttpRequest& request) const;
  Status SetMark(const net::FormValues& form, const Cancel& cancel) const;

  const BlockViewerOptions options_;
  objstore::Bucket& bucket_;
  const Clock& clock_;
  std::string page_;
  mutable Mutex mutex_;
  View global_ GN_GUARDED_BY(mutex_), loaded_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::api
