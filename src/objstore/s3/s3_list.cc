#include "objstore/s3/s3_list.h"

#include <algorithm>
#include <charconv>

#include "model/time.h"
#include "net/text.h"
#include "objstore/xml.h"

namespace gauntlet::objstore {

Result<S3ListPage> ParseListing(std::string_view xml) {
  GN_ASSIGN(XmlNode root, ParseXml(xml));
  if (root.name != "ListBucketResult") return Status(Code::kCorrupt, "no ListBucketResult but " + root.name);
  const bool escaped = root.Text("EncodingType") == "url";
  auto name_of = [&](std::string_view text) -> Result<std::string> {
    if (!escaped) return std::string(text);
    return net::PercentDecode(text, true);
  };
  S3ListPage page;
  for (const XmlNode& node : root.children) {
    if (node.name == "CommonPrefixes") {
      GN_ASSIGN(std::string name, name_of(node.Text("Prefix")));
      page.entries.push_back({std::move(name), 0, 0});
    } else if (node.name == "Contents") {
      S3ListEntry entry;
      GN_ASSIGN(entry.name, name_of(node.Text("Key")));
      std::string_view size = node.Text("Size");
      auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), entry.bytes);
      if (error != std::errc()) return Status(Code::kCorrupt, "malformed Size of " + entry.name);
      GN_ASSIGN(entry.modified_ms, ParseRfc3339(node.Text("LastModified")));
      page.entries.push_back(std::move(entry));
    }
  }
  std::sort(page.entries.begin(), page.entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  page.truncated = root.Text("IsTruncated") == "true";
  page.next = root.Text("NextContinuationToken");
  if (page.next.empty()) {
    GN_ASSIGN(page.next, name_of(root.Text("NextMarker")));
  }
  if (page.next.empty() && !page.entries.empty()) page.next = page.entries.back().name;
  return page;
}

Result<std::vector<S3ListEntry>> S3Lister::NextPage(const Cancel& cancel) {
  Request request;
  request.path = "";
  if (!v1_) request.query.emplace_back("list-type", "2");
  request.query.emplace_back("encoding-type", "url");
  request.query.emplace_back("max-keys", "1000");
  request.query.emplace_back("prefix", prefix_);
  if (!options_.recursive) request.query.emplace_back("delimiter", "/");
  if (!next_.empty()) request.query.emplace_back(v1_ ? "marker" : "continuation-token", next_);
  if (next_.empty() && options_.recursive && !options_.after.empty())
    request.query.emplace_back(v1_ ? "marker" : "start-after", options_.after);
  Result<net::HttpAnswer> answer = client_.Call(request, cancel);
  if (!answer.ok()) return answer.status().Wrap("list " + prefix_);
  Result<S3ListPage> page = ParseListing(answer->body);
  if (!page.ok()) return page.status().Wrap("list " + prefix_);
  done_ = !page->truncated;
  if (!done_ && (page->next.empty() || page->next == next_)) {
    return Status(Code::kCorrupt, "list " + prefix_ + ": a truncated page that says not how to go on");
  }
  next_ = page->next;
  if (options_.recursive && !options_.until.empty() && !page->entries.empty() &&
      page->entries.back().name > options_.until) {
    done_ = true;
  }
  std::erase_if(page->entries, [&](const S3ListEntry& entry) {
    return entry.name == prefix_ || entry.name.empty() || (options_.recursive && !options_.Includes(entry.name));
  });
  return std::move(page->entries);
}

}  // namespace gauntlet::objstore
