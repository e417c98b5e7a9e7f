#include "server/pprof.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "io/compress.h"
#include "profile/builder.h"
#include "profile/heap.h"
#include "profile/sampler.h"
#include "profile/symbols.h"

namespace gauntlet::server {
namespace {

using net::HttpReply;
using net::HttpRequest;
using profile::ProfileBuilder;
using profile::Symbols;

constexpr int kHertz = 100;
constexpr int kSecondsDefault = 30, kSecondsMax = 3600;

constexpr char kIndex[] = R"(<!DOCTYPE html>
<html><head><title>/debug/pprof/</title></head>
<body>
/debug/pprof/<br><br>
Types of profiles available:
<table>
<tr><td><a href="profile?seconds=30">profile</a></td><td>CPU profile. seconds= sets its length. Read it with go tool pprof.</td></tr>
<tr><td><a href="heap">heap</a></td><td>Sampled allocations that are live now, by jemalloc.</td></tr>
<tr><td><a href="goroutine?debug=2">goroutine</a></td><td>Stacks of all threads (this process has no goroutines). debug=2 for text.</td></tr>
<tr><td><a href="symbol">symbol</a></td><td>Names of the addresses posted, as pprof asks for them.</td></tr>
</table>
</body></html>
)";

void Fail(HttpReply& reply, const Status& status) {
  int code = status.code() == Code::kUnsupported ? 501 : status.code() == Code::kUnavailable ? 503 : 500;
  net::ReplyText(reply, code, status.message());
}

int IntParameter(const HttpRequest& request, std::string_view name, int fallback) {
  auto form = request.Form();
  if (!form.ok()) return fallback;
  std::string_view text = form->Get(name);
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : fallback;
}

int SecondsOf(const HttpRequest& request) {
  int seconds = IntParameter(request, "seconds", kSecondsDefault);
  return seconds <= 0 ? kSecondsDefault : std::min(seconds, kSecondsMax);
}

// A file, compressed as pprof wants it: not by Content-Encoding.
void ReplyProfile(HttpReply& reply, std::string_view name, std::string_view profile) {
  reply.headers().Set("Content-Type", "application/octet-stream");
  reply.headers().Set("Content-Disposition", fmt::format("attachment; filename=\"{}.pb.gz\"", name));
  reply.headers().Set("X-Content-Type-Options", "nosniff");
  (void)reply.Write(io::GzipCompress(profile));
}

void ServeCpu(const HttpRequest& request, const Cancel& cancel, HttpReply& reply) {
  auto taken = profile::CollectCpuProfile(std::chrono::seconds(SecondsOf(request)), kHertz, cancel);
  if (!taken.ok()) return Fail(reply, taken.status());
  ProfileBuilder builder({{"samples", "count"}, {"cpu", "nanoseconds"}});
  builder.SetPeriod({"cpu", "nanoseconds"}, taken->period_ns);
  builder.SetTime(taken->start_unix_ns, taken->duration_ns);
  if (taken->dropped > 0) builder.AddComment(fmt::format("{} samples were dropped", taken->dropped));
  for (const auto& sample : taken->samples) {
    int64_t values[] = {sample.count, sample.count * taken->period_ns};
    builder.AddSample(sample.stack, values);
  }
  ReplyProfile(reply, "profile", builder.Encode(Symbols::Load()));
}

void ServeHeap(const HttpRequest&, const Cancel&, HttpReply& reply) {
  auto taken = profile::TakeHeapProfile();
  if (!taken.ok()) return Fail(reply, taken.status());
  ProfileBuilder builder({{"inuse_objects", "count"}, {"inuse_space", "bytes"}});
  builder.SetPeriod({"space", "bytes"}, taken->sample_bytes);
  builder.SetTime(std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1), 0);
  builder.SetDefaultType("inuse_space");
  for (const auto& sample : taken->samples) {
    int64_t values[] = {sample.live_objects, sample.live_bytes};
    builder.AddSample(sample.stack, values);
  }
  ReplyProfile(reply, "heap", builder.Encode(Symbols::Load()));
}

std::string ThreadText(const std::vector<profile::ThreadStack>& threads, const Symbols& symbols) {
  std::string out;
  for (const auto& thread : threads) {
    out += fmt::format("thread {} \"{}\" [{}]:\n", thread.id, thread.name, thread.state);
    for (uintptr_t address : thread.stack) {
      profile::Symbol symbol = symbols.Find(address);
      out += fmt::format("    {:#x} {}\n", address, symbol.demangled.empty() ? "?" : symbol.demangled);
    }
    if (thread.stack.empty()) out += "    (blocks the signal that asks for its stack)\n";
    out += '\n';
  }
  return out;
}

void ServeThreads(const HttpRequest& request, const Cancel&, HttpReply& reply) {
  auto threads = profile::CollectThreadStacks();
  if (!threads.ok()) return Fail(reply, threads.status());
  Symbols symbols = Symbols::Load();
  if (IntParameter(request, "debug", 0) > 0) {
    reply.headers().Set("Content-Type", "text/plain; charset=utf-8");
    (void)reply.Write(ThreadText(*threads, symbols));
    return;
  }
  const std::vector<profile::ValueType> kinds = {{"goroutine", "count"}};
  ProfileBuilder builder(kinds);
  builder.SetPeriod({"goroutine", "count"}, 1);
  for (const auto& thread : *threads) {
    int64_t one[] = {1};
    builder.AddSample(thread.stack, one, {{"thread", thread.name}});
  }
  ReplyProfile(reply, "goroutine", builder.Encode(symbols));
}

// Where threads are, running or waiting, looked at a few times a second.
void ServeWallClock(const HttpRequest& request, const Cancel& cancel, HttpReply& reply) {
  constexpr std::chrono::milliseconds kEvery(50);
  int seconds = SecondsOf(request);
  std::map<std::vector<uintptr_t>, int64_t> counts;
  CancelSource source(cancel, std::chrono::seconds(seconds));
  auto start = std::chrono::system_clock::now();
  while (!source.cancel().stopped()) {
    auto threads = profile::CollectThreadStacks();
    if (!threads.ok()) return Fail(reply, threads.status());
    for (const auto& thread : *threads) ++counts[thread.stack];
    std::this_thread::sleep_for(kEvery);
  }
  ProfileBuilder builder({{"samples", "count"}, {"time", "nanoseconds"}});
  int64_t period = kEvery / std::chrono::nanoseconds(1);
  builder.SetPeriod({"wallclock", "nanoseconds"}, period);
  builder.SetTime(start.time_since_epoch() / std::chrono::nanoseconds(1),
                  (std::chrono::system_clock::now() - start) / std::chrono::nanoseconds(1));
  for (const auto& [stack, count] : counts) {
    if (stack.empty()) continue;
    int64_t values[] = {count, count * period};
    builder.AddSample(stack, values);
  }
  ReplyProfile(reply, "fgprof", builder.Encode(Symbols::Load()));
}

// pprof's protocol: "0x1+0x2" in the body or the query, a line with each name back.
void ServeSymbol(const HttpRequest& request, const Cancel&, HttpReply& reply) {
  std::string_view text = request.method == "POST" ? request.body : request.query;
  Symbols symbols = Symbols::Load();
  std::string out = "num_symbols: 1\n";
  while (!text.empty()) {
    size_t end = std::min(text.find('+'), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    uint64_t address = 0;
    if (!word.starts_with("0x")) continue;
    if (std::from_chars(word.data() + 2, word.data() + word.size(), address, 16).ec != std::errc()) continue;
    profile::Symbol symbol = symbols.Find(address);
    if (!symbol.demangled.empty()) out += fmt::format("{:#x} {}\n", address, symbol.demangled);
  }
  reply.headers().Set("Content-Type", "text/plain; charset=utf-8");
  (void)reply.Write(out);
}

net::HttpHandler Absent(std::string text) {
  return [text = std::move(text)](const HttpRequest&, const Cancel&, HttpReply& reply) {
    net::ReplyText(reply, 501, text);
  };
}

}  // namespace

void AddPprofRoutes(net::HttpRouter& router) {
  router.AddUnprefixed("GET", "/debug/pprof/", "", [](const HttpRequest&, const Cancel&, HttpReply& reply) {
    reply.headers().Set("Content-Type", "text/html; charset=utf-8");
    (void)reply.Write(kIndex);
  });
  router.AddUnprefixed("GET", "/debug/pprof/profile", "", ServeCpu);
  router.AddUnprefixed("GET", "/debug/pprof/heap", "", ServeHeap);
  router.AddUnprefixed("GET", "/debug/pprof/goroutine", "", ServeThreads);
  router.AddUnprefixed("GET,POST", "/debug/pprof/symbol", "", ServeSymbol);
  router.AddUnprefixed("GET", "/debug/fgprof", "", ServeWallClock);
  router.AddUnprefixed("GET", "/debug/pprof/allocs", "",
                       Absent("allocations that were freed are not counted here; see heap for the live ones"));
  router.AddUnprefixed("GET", "/debug/pprof/trace", "", Absent("this process has no Go runtime to trace"));
  for (const char* name : {"block", "mutex", "threadcreate"}) {
    router.AddUnprefixed("GET", fmt::format("/debug/pprof/{}", name), "",
                         Absent(fmt::format("{} is not recorded in this process", name)));
  }
}

}  // namespace gauntlet::server
